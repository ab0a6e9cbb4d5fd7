#include "compress/calibration.h"

#include <algorithm>

#include "model/batching.h"
#include "model/error.h"
#include "model/parallel.h"
#include "model/scoring.h"

namespace ltz::compress {
namespace {

using Moments = std::map<std::string, InputMoments>;

// What the batch that this thread computes adds to.
thread_local Moments* collected = nullptr;

// Batches whose sums are kept at a time; they are added up in order, whatever the threads.
constexpr std::size_t kWave = 4;

void add(Moments& total, const Moments& part) {
  for (const auto& [name, moments] : part) {
    total[name].add(moments);
  }
}

}  // namespace

Moments input_moments(Transformer& model, const CalibrationText& text,
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
  Moments total;
  for (std::size_t begin = 0; begin < batches.size(); begin += kWave) {
    std::vector<Moments> parts(std::min(kWave, batches.size() - begin));
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
    for (const Moments& part : parts) {
      add(total, part);
    }
  }
  model.observe_inputs({});
  return total;
}

}  // namespace ltz::compress
