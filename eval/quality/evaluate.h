#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/scores/bleu.h"
#include "eval/scores/chrf.h"
#include "eval/scores/rouge.h"
#include "model/base/progress.h"
#include "model/decoding/encoded_text.h"
#include "model/decoding/scoring.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::eval {

// A test or development set: sentences of words, one a line.
struct ParallelText {
  std::vector<std::string> source;
  std::vector<std::string> reference;
};

// The same as ids. Throws ConfigError for texts of different or no length.
EncodedText encode(const TextCodec& codec, const ParallelText& text);

// Places of `count` lines at even distances among `total`, of all if there are no more.
std::vector<std::size_t> evenly_spaced(std::size_t total, std::size_t count);

// `count` sentence pairs at even distances, all if there are no more.
ParallelText sample(const ParallelText& text, std::size_t count);

enum class Metric { kBleu, kChrf, kRouge };

struct MetricOptions {
  Metric metric = Metric::kBleu;
  BleuOptions bleu;
  ChrfOptions chrf;
  RougeOptions rouge;
};

struct EvaluationOptions {
  BeamOptions beam;
  MetricOptions metric;
  std::size_t fairseq_max_tokens = 0;            // not 0: padded batches, see batch_like_fairseq
  Arithmetic arithmetic = Arithmetic::kFloat32;  // of the model, for the signature
};

struct Translations {
  std::vector<std::string> lines;
  double seconds = 0.0;  // spent translating
};

// What the model makes of the source; the references count only where batches imitate fairseq's.
// Throws ConfigError for texts of different or no length.
Translations translate(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                       const EvaluationOptions& options, const Progress& progress = {});

// Statistics of each sentence's BLEU, for its sum and for a bootstrap. Throws as translate does.
std::vector<BleuStatistics> bleu_of_model(const Transformer& model, const TextCodec& codec,
                                          const ParallelText& text,
                                          const EvaluationOptions& options,
                                          const Progress& progress = {});

// Loss of the references, teacher-forced. Throws as translate does.
TokenLoss loss_of_model(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                        const EvaluationOptions& options);

// How good a model is on a test set.
struct Scores {
  Bleu bleu;                 // of translations, with Metric::kBleu
  double chrf = 0.0;         // of translations, with Metric::kChrf
  std::vector<Rouge> rouge;  // of each line, with Metric::kRouge
  double nll = 0.0;          // mean over target tokens, nats, </s> included, teacher-forced
  double perplexity = 0.0;   // exp(nll)
  std::int64_t sentences = 0;
  std::int64_t source_tokens = 0;  // subwords, </s> included
  std::int64_t target_tokens = 0;
  double seconds = 0.0;  // spent translating
  std::vector<std::string> hypotheses;
};

// Translates the source, scores that, and reads the references. Throws as translate does.
Scores evaluate(const Transformer& model, const TextCodec& codec, const ParallelText& text,
                const EvaluationOptions& options, const Progress& progress = {});

// Everything that the score of evaluate() depends on, in the manner of sacreBLEU's
// signatures.
std::string signature(const EvaluationOptions& options, const std::string& version);

}  // namespace ltz::eval
