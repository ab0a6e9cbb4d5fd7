#include "compress/calibration/calibration.h"

#include <algorithm>

#include "compress/calibration/batch_sums.h"
#include "compress/calibration/token_tables.h"
#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "model/decoding/batching.h"
#include "model/decoding/scoring.h"

namespace ltz::compress {
namespace {

using MomentsByName = std::map<std::string, InputMoments>;

// What the batch that this thread computes adds to.
thread_local MomentsByName* collected = nullptr;

// No correlations, and every channel the same.
InputMoments uncorrelated(std::int64_t columns) {
  const auto n = static_cast<std::size_t>(columns);
  InputMoments moments{.count = 1, .sum = std::vector<double>(n), .second = {}};
  moments.second.resize(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    moments.second[i * n + i] = 1.0;
  }
  return moments;
}

// What errors of a looked-up row cost: all directions alike, or by what the band's projection,
// (width, columns), makes of them.
std::vector<double> lookup_geometry(const Transformer& model, const std::string& table,
                                    std::int64_t columns) {
  const auto band = input_band_of(model.config(), table);
  if (!band) {
    return uncorrelated(columns).second;
  }
  std::vector<double> geometry;
  const std::vector<float> weights = model.parameter(input_projection(*band));
  const Eigen::Map<const Matrix> rows(weights.data(), model.config().decoder.embed_dim, columns);
  add_products(rows, rows, geometry);
  return geometry;
}

double trace(const std::vector<double>& matrix, std::int64_t columns) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < columns; ++i) {
    sum += matrix[static_cast<std::size_t>(i * columns + i)];
  }
  return sum;
}

// As much again, for rows that are also looked up.
void add_lookup(const std::vector<double>& geometry, InputMoments& moments) {
  const double scale =
      trace(moments.second, moments.columns()) / trace(geometry, moments.columns());
  for (std::size_t i = 0; i < geometry.size(); ++i) {
    moments.second[i] += scale * geometry[i];
  }
}

}  // namespace

std::vector<std::vector<std::size_t>> batches_of(const EncodedText& text) {
  if (text.source.empty() || text.source.size() != text.target.size()) {
    throw ConfigError("expected as many calibration targets as sources, at least one, found " +
                      std::to_string(text.target.size()) + " and " +
                      std::to_string(text.source.size()));
  }
  return batch_by_length(text.target).batches;
}

MomentsByName input_moments(Transformer& model, const EncodedText& text,
                            const std::set<std::string>& matrices) {
  const std::vector<std::vector<std::size_t>> batches = batches_of(text);
  model.observe_inputs([&](const std::string& matrix, MatrixView inputs) {
    if (collected != nullptr && matrices.contains(matrix)) {
      (*collected)[matrix].add(inputs);
    }
  });
  const bool decoder = std::ranges::any_of(
      matrices, [](const std::string& name) { return !name.starts_with("encoder.layers."); });
  const MomentsByName total = sum_over_batches<MomentsByName>(
      batches.size(),
      [&](std::size_t i, MomentsByName& sums) {
        const std::vector<TokenIds> sources = gather(text.source, batches[i]);
        const std::vector<TokenIds> targets = gather(text.target, batches[i]);
        collected = &sums;
        if (decoder) {
          const Matrix features = teacher_forced_features(model, sources, targets);
          model.observe_output(features);
        } else {
          model.encode(sources);
        }
        collected = nullptr;
      },
      kAddByName);
  model.observe_inputs({});
  return total;
}

std::map<std::string, InputMoments> all_moments(Transformer& model, const EncodedText& text) {
  const ModelConfig& config = model.config();
  std::map<std::string, std::int64_t> columns_of;
  std::set<std::string> wanted;
  std::map<std::string, InputMoments> moments;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.role == Role::kMatrix || is_token_table(spec)) {
      wanted.insert(spec.name);
      columns_of[spec.name] = spec.shape[1];
    }
  }
  if (!text.source.empty()) {
    moments = input_moments(model, text, wanted);
  }
  for (const auto& [name, columns] : columns_of) {
    const auto seen = moments.find(name);
    if (!is_looked_up(config, name)) {
      if (seen == moments.end()) {
        moments.emplace(name, uncorrelated(columns));
      }
      continue;
    }
    std::vector<double> geometry = lookup_geometry(model, name, columns);
    if (seen != moments.end()) {
      add_lookup(geometry, seen->second);
    } else {
      InputMoments own = uncorrelated(columns);
      own.second = std::move(geometry);
      moments.emplace(name, std::move(own));
    }
  }
  return moments;
}

}  // namespace ltz::compress
