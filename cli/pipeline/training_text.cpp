#include "cli/pipeline/training_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "cli/pipeline/fingerprint.h"
#include "model/base/error.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::pipeline {
namespace {

// Between two writings of the state.
constexpr std::size_t kLinesAtOnce = 2000;

std::string fingerprint_of(const std::vector<std::string>& lines) {
  return fingerprint(eval::ParallelText{.source = lines, .reference = {}});
}

// Empty for what is too long to be read: nothing is trained on it.
std::vector<std::string> translated(const Transformer& model, const TextCodec& codec,
                                    std::span<const std::string> lines, const Progress& progress) {
  const auto longest = static_cast<std::size_t>(model.config().max_source_positions);
  std::vector<TokenIds> sources;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    TokenIds source = codec.encode_source(lines[i]);
    if (source.size() <= longest) {
      sources.push_back(std::move(source));
      places.push_back(i);
    }
  }
  const auto translations =
      translate(model, sources, {.beam = 1}, batch_by_length(sources), progress);
  std::vector<std::string> targets(lines.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!translations[i].empty()) {
      targets[places[i]] = codec.decode_target(translations[i].front().tokens);
    }
  }
  return targets;
}

void translate_all(const std::vector<std::string>& lines, const Checkpoint& checkpoint,
                   CompressState& state, const Events& events) {
  const std::string text = fingerprint_of(lines);
  if (state.training_text != text) {
    state.training_text = text;
    state.training_targets.clear();
  }
  std::vector<std::string>& targets = state.training_targets;
  if (targets.size() > lines.size()) {
    throw FormatError(fmt::format("{}: expected translations of {} sentences, found {}",
                                  state.path(), lines.size(), targets.size()));
  }
  if (targets.size() == lines.size()) {
    return;
  }
  events.say(fmt::format("translating {} sentences to train on", lines.size() - targets.size()));
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  const Progress progress = events.start("translating");
  while (targets.size() < lines.size()) {
    const std::size_t begin = targets.size();
    const std::size_t count = std::min(kLinesAtOnce, lines.size() - begin);
    std::vector<std::string> more =
        translated(model, codec, std::span(lines).subspan(begin, count),
                   [&](std::size_t done, std::size_t) { progress(begin + done, lines.size()); });
    std::ranges::move(more, std::back_inserter(targets));
    state.save();
  }
}

}  // namespace

eval::ParallelText with_references(eval::ParallelText text, const Checkpoint& model,
                                   CompressState& state, const Events& events) {
  if (text.reference.empty()) {
    translate_all(text.source, model, state, events);
    text.reference = state.training_targets;
  }
  return text;
}

}  // namespace ltz::pipeline
