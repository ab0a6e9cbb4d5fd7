#include "eval/quality/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include "model/base/error.h"

namespace ltz::eval {
namespace {

std::string metric_signature(const MetricOptions& options) {
  if (options.metric == Metric::kRouge) {
    return fmt::format("ROUGE+numrefs.1+sentences.{}+stem.{}", sentences_name(options.rouge),
                       stem_name(options.rouge));
  }
  if (options.metric == Metric::kChrf) {
    return fmt::format("{}+case.{}+numrefs.1+nc.{}+nw.{}+space.no", name(options.chrf),
                       options.chrf.lowercase ? "lc" : "mixed", kChrfCharacterOrder,
                       options.chrf.word_order);
  }
  const BleuOptions& bleu = options.bleu;
  return fmt::format("BLEU+case.{}+numrefs.1+smooth.{}+tok.{}+compounds.{}+ngram.4",
                     case_name(bleu), bleu.smoothing == BleuSmoothing::kExp ? "exp" : "none",
                     bleu.tokenizer == BleuTokenizer::k13a ? "13a" : "none",
                     bleu.compound_split ? "split" : "whole");
}

// sentences: the side whose lengths decide which go together.
Batching batching(const EncodedText& text, const std::vector<TokenIds>& sentences,
                  const EvaluationOptions& options) {
  return options.fairseq_max_tokens == 0
             ? batch_by_length(sentences)
             : batch_like_fairseq(text.source, text.target, options.fairseq_max_tokens);
}

Translations translate(const Transformer& model, const TextCodec& codec, const EncodedText& text,
                       const EvaluationOptions& options, const Progress& progress) {
  Translations translations;
  const auto start = std::chrono::steady_clock::now();
  const auto found = ltz::translate(model, text.source, options.beam,
                                    batching(text, text.source, options), progress);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  translations.seconds = spent.count();
  for (const auto& hypotheses : found) {
    translations.lines.push_back(
        hypotheses.empty() ? "" : codec.decode_target(hypotheses.front().tokens));
  }
  return translations;
}

TokenLoss loss_of_model(const Transformer& model, const EncodedText& text,
                        const EvaluationOptions& options) {
  return score_text(model, text.source, text.target, batching(text, text.target, options));
}

}  // namespace

EncodedText encode(const TextCodec& codec, const ParallelText& text) {
  if (text.source.size() != text.reference.size()) {
    throw ConfigError(fmt::format("expected as many references as sources, found {} and {} lines",
                                  text.reference.size(), text.source.size()));
  }
  if (text.source.empty()) {
    throw ConfigError("the test set is empty");
  }
  return {.source = codec.encode_sources(text.source),
          .target = codec.encode_targets(text.reference)};
}

std::vector<std::size_t> evenly_spaced(std::size_t total, std::size_t count) {
  const std::size_t wanted = std::min(total, count);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < wanted; ++i) {
    places.push_back(i * total / wanted);
  }
  return places;
}

ParallelText sample(const ParallelText& text, std::size_t count) {
  ParallelText sampled;
  for (const std::size_t line : evenly_spaced(text.source.size(), count)) {
    sampled.source.push_back(text.source[line]);
    sampled.reference.push_back(text.reference[line]);
  }
  return sampled;
}

Translations translate(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                       const EvaluationOptions& options, const Progress& progress) {
  return translate(model, codec, encode(codec, text), options, progress);
}

std::vector<BleuStatistics> bleu_of_model(const Transformer& model, const TextCodec& codec,
                                          const ParallelText& text,
                                          const EvaluationOptions& options,
                                          const Progress& progress) {
  return bleu_statistics(translate(model, codec, text, options, progress).lines,
                         std::span(&text.reference, 1), options.metric.bleu);
}

TokenLoss loss_of_model(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                        const EvaluationOptions& options) {
  return loss_of_model(model, encode(codec, text), options);
}

Scores evaluate(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                const EvaluationOptions& options, const Progress& progress) {
  const EncodedText encoded = encode(codec, text);
  Translations translations = translate(model, codec, encoded, options, progress);
  Scores scores;
  scores.seconds = translations.seconds;
  scores.hypotheses = std::move(translations.lines);
  if (options.metric.metric == Metric::kRouge) {
    scores.rouge = rouge_of_lines(scores.hypotheses, text.reference, options.metric.rouge);
  } else if (options.metric.metric == Metric::kChrf) {
    const ChrfOptions& chrf = options.metric.chrf;
    scores.chrf =
        score(sum(chrf_statistics(scores.hypotheses, std::span(&text.reference, 1), chrf)), chrf);
  } else {
    scores.bleu = bleu(scores.hypotheses, text.reference, options.metric.bleu);
  }
  const TokenLoss loss = loss_of_model(model, encoded, options);
  scores.nll = loss.mean();
  scores.perplexity = std::exp(scores.nll);
  scores.sentences = static_cast<std::int64_t>(text.source.size());
  scores.target_tokens = loss.tokens;
  for (const TokenIds& sentence : encoded.source) {
    scores.source_tokens += static_cast<std::int64_t>(sentence.size());
  }
  return scores;
}

std::string signature(const EvaluationOptions& options, const std::string& version) {
  const BeamOptions& beam = options.beam;
  const std::string padding = options.fairseq_max_tokens == 0
                                  ? "none"
                                  : fmt::format("maxtokens.{}", options.fairseq_max_tokens);
  const std::string precision = options.arithmetic == Arithmetic::kFloat32
                                    ? ""
                                    : fmt::format("+precision.{}", to_string(options.arithmetic));
  return fmt::format("{}+beam.{}+lenpen.{}+maxlen.{}x+{}+minlen.{}+norepeat.{}+padding.{}{}+ltz.{}",
                     metric_signature(options.metric), beam.beam, beam.lenpen, beam.max_len_a,
                     beam.max_len_b, beam.min_len, beam.no_repeat_ngram_size, padding, precision,
                     version);
}

}  // namespace ltz::eval
