#pragma once

#include <cstdint>
#include <vector>

#include "cli/options/options.h"
#include "compress/recipes/tunable.h"
#include "eval/budget/gates.h"
#include "formats/ltz/ltz.h"

namespace ltz::cli {

// What `compress` says it is going to do.
class ForeseenFile {
 public:
  // tensors: in the order of parameter_specs.
  ForeseenFile(const ModelConfig& config, std::vector<compress::TensorForecast> tensors,
               const formats::LtzSizes& sizes, std::int64_t baseline_parameters);

  // Groups of tensors and bits per weight, on standard error.
  void say_summary() const;
  // Every tensor, the groups and the sizes; or as JSON: "plan" is a list of the tensors,
  // "estimated" has the sizes.
  void print(const JsonOptions& json) const;

 private:
  std::string groups() const;
  std::string text() const;
  double bits_per_element(std::size_t tensor) const;

  std::vector<ParameterSpec> specs_;
  std::vector<compress::TensorForecast> tensors_;
  eval::SizeReport size_;
};

}  // namespace ltz::cli
