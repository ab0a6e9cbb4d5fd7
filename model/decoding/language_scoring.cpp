#include "model/decoding/language_scoring.h"

#include <numeric>

#include "model/decoding/continuation.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer_layers.h"

namespace ltz {
namespace {

// The features that targets are predicted from, one a row.
Matrix features_of(const Transformer& model, std::span<const TextBlock> blocks) {
  std::size_t inputs = 0;
  std::size_t targets = 0;
  for (const TextBlock& block : blocks) {
    require_length(block.inputs, model.config().max_target_positions, "target");
    inputs += block.inputs.size();
    targets += block.targets.size();
  }
  std::vector<std::int32_t> history(inputs);
  std::iota(history.begin(), history.end(), 0);
  std::vector<DecoderRow> rows;
  rows.reserve(inputs);
  for (const TextBlock& block : blocks) {
    const std::span<const std::int32_t> own =
        std::span(history).subspan(rows.size(), block.inputs.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      rows.push_back(
          {.token = block.inputs[i], .position = static_cast<int>(i), .history = own.first(i + 1)});
    }
  }
  DecoderState state = model.start_decoding();
  Matrix all = model.decode(state, rows);
  if (inputs == targets) {
    return all;
  }
  Matrix features(static_cast<Eigen::Index>(targets), all.cols());
  Eigen::Index from = 0;
  Eigen::Index to = 0;
  for (const TextBlock& block : blocks) {
    const auto count = static_cast<Eigen::Index>(block.targets.size());
    from += static_cast<Eigen::Index>(block.inputs.size());
    features.middleRows(to, count) = all.middleRows(from - count, count);
    to += count;
  }
  return features;
}

}  // namespace

std::vector<std::vector<float>> log_probabilities(const Transformer& model,
                                                  std::span<const TextBlock> blocks) {
  require_language_model(model.config());
  TokenIds targets;
  for (const TextBlock& block : blocks) {
    targets.insert(targets.end(), block.targets.begin(), block.targets.end());
  }
  const std::vector<float> found = log_probabilities(model, features_of(model, blocks), targets);
  std::vector<std::vector<float>> by_block;
  auto from = found.begin();
  for (const TextBlock& block : blocks) {
    const auto to = from + static_cast<std::ptrdiff_t>(block.targets.size());
    by_block.emplace_back(from, to);
    from = to;
  }
  return by_block;
}

}  // namespace ltz
