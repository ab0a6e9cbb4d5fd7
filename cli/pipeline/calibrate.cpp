#include "cli/pipeline/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eval/quality/divergence.h"
#include "eval/quality/evaluate.h"
#include "model/base/error.h"
#include "model/base/parallel.h"
#include "model/decoding/sampling.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::pipeline {
namespace {

// Targets that an earlier run has found. The file may have been damaged or made up.
bool usable(const EncodedText& text, const Checkpoint& checkpoint) {
  const int words = checkpoint.target_vocabulary.size();
  return text.target.size() == text.source.size() &&
         std::ranges::all_of(text.target, [&](const TokenIds& target) {
           return !target.empty() &&
                  std::ranges::all_of(target, [&](int id) { return id >= 0 && id < words; });
         });
}

// Measures into the state what it lacks, tensor by tensor in the order of computation, in which
// reading goes on from what it has kept.
void measure(const Checkpoint& checkpoint, Transformer& model,
             const compress::Calibration& calibration, std::size_t sentences, CompressState& state,
             const Events& events) {
  const auto sample = eval::evenly_spaced(calibration.text.source.size(), sentences);
  std::vector<TokenIds> sources = gather(calibration.text.source, sample);
  std::vector<TokenIds> targets = gather(calibration.text.target, sample);
  events.say(fmt::format("measuring sensitivity on {} sentences", sources.size()));
  eval::CachedReading reading(model, std::move(sources), std::move(targets));
  const eval::Divergence divergence(reading);
  const Progress progress = events.start("sensitivity");
  std::size_t done = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const auto found = calibration.moments.find(spec.name);
    if (found == calibration.moments.end()) {
      continue;
    }
    if (!state.sensitivities.contains(spec.name)) {
      state.sensitivities.merge(compress::noise_sensitivity(
          checkpoint, {*found}, calibration.row_weights,
          [&](const compress::Replacements& replacements) {
            reading.keep_what_precedes(compress::names_of(replacements));
            return compress::measure_replaced(model, checkpoint, replacements,
                                              [&] { return divergence.of(reading); });
          }));
      state.save();
    }
    progress(++done, calibration.moments.size());
  }
}

// Texts that a language model makes up, as likely as it finds them.
std::vector<TokenIds> self_sampled(const Transformer& model, std::size_t count,
                                   const Events& events) {
  events.say(fmt::format("no text to calibrate on: the model makes up {} sentences", count));
  const Sampler sampler(model, {}, {});
  std::vector<TokenIds> texts(count);
  parallel_for(count, [&](std::size_t i) {
    texts[i] = sampler.sample({}, i).tokens;
    if (model.config().add_bos_token) {
      texts[i].insert(texts[i].begin(), Vocabulary::kBos);
    }
  });
  return texts;
}

// Translations that the state has are not made again; those that are made go there.
EncodedText calibration_text(const Checkpoint& checkpoint, const Transformer& model,
                             std::vector<TokenIds> sentences, CompressState& state,
                             const Events& events) {
  if (state.translations.empty()) {
    EncodedText text = self_translated(model, std::move(sentences), events);
    state.translations = text.target;
    state.save();
    return text;
  }
  EncodedText text{.source = std::move(sentences), .target = state.translations};
  if (!usable(text, checkpoint)) {
    throw FormatError(fmt::format("{}: expected translations of {} sentences, found others",
                                  state.path(), text.source.size()));
  }
  return text;
}

}  // namespace

EncodedText self_translated(const Transformer& model, std::vector<TokenIds> sentences,
                            const Events& events) {
  EncodedText text{.source = std::move(sentences), .target = {}};
  events.say(fmt::format("translating {} sentences to calibrate on", text.source.size()));
  const auto translations =
      translate(model, text.source, {}, batch_by_length(text.source), events.start("translating"));
  for (const auto& hypotheses : translations) {
    text.target.push_back(hypotheses.empty() ? TokenIds{Vocabulary::kEos}
                                             : hypotheses.front().tokens);
  }
  return text;
}

compress::Calibration calibrate(const Checkpoint& checkpoint, const std::vector<std::string>& lines,
                                const CalibrateOptions& options, CompressState& state,
                                const Events& events) {
  compress::Calibration calibration;
  Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  const bool language = is_language_model(checkpoint.config);
  const std::vector<TokenIds> all = !language       ? codec.encode_sources(lines)
                                    : lines.empty() ? self_sampled(model, options.sentences, events)
                                                    : codec.encode_targets(lines);
  if (!all.empty()) {
    std::vector<TokenIds> sample = gather(all, eval::evenly_spaced(all.size(), options.sentences));
    calibration.text = language
                           ? EncodedText{std::vector<TokenIds>(sample.size()), std::move(sample)}
                           : calibration_text(checkpoint, model, std::move(sample), state, events);
  }
  // All of the text: it costs little to count words, and rare ones are in few sentences.
  calibration.row_weights = compress::table_row_weights(
      checkpoint, language ? compress::token_frequencies(checkpoint, {}, all)
                           : compress::token_frequencies(checkpoint, all, calibration.text.target));
  calibration.moments = compress::all_moments(model, calibration.text);
  if (all.empty()) {
    for (const auto& [name, moments] : calibration.moments) {
      calibration.sensitivities[name] = 1.0;
    }
  } else {
    measure(checkpoint, model, calibration, options.sensitivity, state, events);
    calibration.sensitivities = state.sensitivities;
  }
  return calibration;
}

}  // namespace ltz::pipeline
