#include "compress/calibration.h"

#include <algorithm>

#include "compress/token_tables.h"
#include "model/batching.h"
#include "model/error.h"
#include "model/parallel.h"
#include "model/scoring.h"

namespace ltz::compress {
namespace {

using MomentsByName = std::map<std::string, InputMoments>;

// What the batch that this thread computes adds to.
thread_local MomentsByName* collected = nullptr;

// Batches whose sums are kept at a time; they are added up in order, whatever the threads.
constexpr std::size_t kWave = 4;

void add(MomentsByName& total, const MomentsByName& part) {
  for (const auto& [name, moments] : part) {
    total[name].add(moments);
  }
}

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

std::string bias_of(const std::string& matrix) {
  static constexpr std::size_t kSuffix = sizeof("weight") - 1;
  return matrix.substr(0, matrix.size() - kSuffix) + "bias";
}

MomentsByName input_moments(Transformer& model, const CalibrationText& text,
                            const std::set<std::string>& matrices) {
  if (text.sources.empty() || text.sources.size() != text.targets.size()) {
    throw ConfigError("expected as many calibration targets as sources, at least one, found " +
                      std::to_string(text.targets.size()) + " and " +
                      std::to_string(text.sources.size()));
  }
  model.observe_inputs([&](const std::string& matrix, MatrixView inputs) {
    if (collected != nullptr && matrices.contains(matrix)) {
      (*collected)[matrix].add(inputs);
    }
  });
  const bool decoder = std::ranges::any_of(
      matrices, [](const std::string& name) { return !name.starts_with("encoder.layers."); });
  const bool output = std::ranges::any_of(
      matrices, [](const std::string& name) { return name.find(".layers.") == std::string::npos; });
  const std::vector<std::vector<std::size_t>> batches = batch_by_length(text.targets).batches;
  MomentsByName total;
  for (std::size_t begin = 0; begin < batches.size(); begin += kWave) {
    std::vector<MomentsByName> parts(std::min(kWave, batches.size() - begin));
    parallel_for(parts.size(), [&](std::size_t i) {
      const std::vector<TokenIds> sources = gather(text.sources, batches[begin + i]);
      const std::vector<TokenIds> targets = gather(text.targets, batches[begin + i]);
      collected = &parts[i];
      if (output) {
        model.logits(teacher_forced_features(model, sources, targets));
      } else if (decoder) {
        teacher_forced_features(model, sources, targets);
      } else {
        model.encode(sources);
      }
      collected = nullptr;
    });
    for (const MomentsByName& part : parts) {
      add(total, part);
    }
  }
  model.observe_inputs({});
  return total;
}

std::map<std::string, InputMoments> all_moments(const Checkpoint& checkpoint,
                                                const CalibrationText& text) {
  const ModelConfig& config = checkpoint.config;
  std::set<std::string> observed;
  std::map<std::string, InputMoments> moments;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const bool matrix = spec.role == Role::kMatrix;
    if (!matrix && !is_token_table(spec)) {
      continue;
    }
    if (!text.sources.empty() && (matrix || spec.name == output_table(config))) {
      observed.insert(spec.name);
    } else {
      moments.emplace(spec.name, uncorrelated(spec.shape[1]));
    }
  }
  if (!observed.empty()) {
    Transformer model(checkpoint);
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
