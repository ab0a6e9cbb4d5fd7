#include "cli/reports/compress_plan.h"
#include "cli/pipeline/digits.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "cli/pipeline/verify.h"
#include "cli/reports/report.h"
#include "cli/reports/size_tables.h"
#include "cli/terminal/terminal.h"

namespace ltz::cli {

ForeseenFile::ForeseenFile(const ModelConfig& config, std::vector<compress::TensorForecast> tensors,
                           const formats::LtzSizes& sizes, std::int64_t baseline_parameters)
    : specs_(parameter_specs(config)),
      tensors_(std::move(tensors)),
      size_(eval::size_report(config, pipeline::artifact_bytes(sizes), baseline_parameters)) {}

double ForeseenFile::bits_per_element(std::size_t tensor) const {
  return 8.0 * tensors_[tensor].bytes / static_cast<double>(element_count(specs_[tensor].shape));
}

std::string ForeseenFile::groups() const {
  std::vector<TensorSize> sizes;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const std::int64_t elements = element_count(specs_[i].shape);
    sizes.push_back({.group = group_name(specs_[i]),
                     .parameters = elements,
                     .zeros = std::llround(tensors_[i].sparsity * static_cast<double>(elements)),
                     .bytes = std::llround(tensors_[i].bytes)});
  }
  return group_table(sizes);
}

std::string ForeseenFile::text() const {
  std::vector<std::vector<std::string>> rows = {
      {"tensor", "method", "centroids", "zeros", "bits", "bytes"}};
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const compress::TensorForecast& tensor = tensors_[i];
    rows.push_back({tensor.name, tensor.method,
                    tensor.centroids == 0 ? "" : fmt::format("{}", tensor.centroids),
                    fmt::format("{:.1f}%", 100.0 * tensor.sparsity),
                    fmt::format("{:.2f}", bits_per_element(i)),
                    pipeline::with_separators(std::llround(tensor.bytes))});
  }
  return fmt::format("{}\n{}\n{}", format_table(rows), groups(), size_text(size_));
}

void ForeseenFile::say_summary() const {
  say(fmt::format("the plan: about {:.2f} bits per weight, {} bytes", size_.bits_per_weight,
                  pipeline::with_separators(size_.bytes.artifact)));
  std::stringstream lines(groups());
  for (std::string line; std::getline(lines, line);) {
    say(line);
  }
}

void ForeseenFile::print(const JsonOptions& json) const {
  if (json.given()) {
    nlohmann::ordered_json plan = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      const compress::TensorForecast& tensor = tensors_[i];
      plan.push_back({{"name", tensor.name},
                      {"method", tensor.method},
                      {"centroids", tensor.centroids},
                      {"sparsity", tensor.sparsity},
                      {"bits", bits_per_element(i)},
                      {"bytes", std::llround(tensor.bytes)}});
    }
    write_json(json, {{"plan", plan}, {"estimated", size_json(size_)}});
  }
  if (!json.to_stdout()) {
    fmt::print("{}", text());
  }
}

}  // namespace ltz::cli
