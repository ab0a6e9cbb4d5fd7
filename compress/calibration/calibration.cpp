#include "compress/calibration/calibration.h"

#include <algorithm>

#include "compress/calibration/batch_sums.h"
#include "compress/calibration/token_tables.h"
#include "model/base/error.h"
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

// As much again as the mean of the diagonal, for rows that are also looked up.
void add_lookup(InputMoments& moments) {
  const auto n = static_cast<std::size_t>(moments.columns());
  double trace = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    trace += moments.second[i * n + i];
  }
  for (std::size_t i = 0; i < n; ++i) {
    moments.second[i * n + i] += trace / static_cast<double>(n);
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
  const std::string output = output_table(model.config());
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
          // They are the output projection's inputs: no need to compute its logits.
          if (matrices.contains(output)) {
            sums[output].add(features);
          }
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
  std::set<std::string> observed;
  std::map<std::string, InputMoments> moments;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const bool matrix = spec.role == Role::kMatrix;
    if (!matrix && !is_token_table(spec)) {
      continue;
    }
    if (!text.source.empty() && (matrix || spec.name == output_table(config))) {
      observed.insert(spec.name);
    } else {
      moments.emplace(spec.name, uncorrelated(spec.shape[1]));
    }
  }
  if (!observed.empty()) {
    moments.merge(input_moments(model, text, observed));
  }
  for (const char* table : {kEncoderTable, kDecoderTable}) {
    if (observed.contains(table)) {
      add_lookup(moments.at(table));
    }
  }
  return moments;
}

}  // namespace ltz::compress
