#include "cli/pipeline/bench_rounds.h"

#include <omp.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

#include "compress/codebooks/kmeans.h"
#include "eval/budget/accounting.h"
#include "eval/quality/evaluate.h"
#include "formats/files/file.h"
#include "formats/ltz/ltz.h"
#include "formats/models/model_file.h"
#include "model/base/parallel.h"
#include "model/decoding/continuation.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::pipeline {
namespace {

// Without a text: as many sentences, of lengths that are common in captions and news.
constexpr std::size_t kRandomSentences = 200;
constexpr int kShortest = 5;
constexpr int kLongest = 35;

constexpr std::size_t kNextWords = 5;  // that a keyboard shows

template <typename Work>
double seconds(const Work& work) {
  const double start = omp_get_wtime();
  work();
  return omp_get_wtime() - start;
}

// What translation needs of a file.
struct Ready {
  Ready(const Checkpoint& checkpoint, Arithmetic arithmetic)
      : model(checkpoint, arithmetic), codec(checkpoint) {}

  Transformer model;
  TextCodec codec;
};

// With the final </s>.
std::vector<TokenIds> random_sentences(const ModelConfig& config) {
  std::mt19937 random(1);
  // The distributions of the standard library differ between platforms.
  const auto between = [&random](int first, int last) {
    return first + static_cast<int>(random() % static_cast<std::uint32_t>(last - first + 1));
  };
  const bool language = is_language_model(config);
  const int last_id =
      (language ? config.target_vocabulary_size : config.source_vocabulary_size) - 1;
  const int longest = (language ? config.max_target_positions : config.max_source_positions) - 2;
  const int first_id = std::min(+Vocabulary::kSpecials, last_id);
  std::vector<TokenIds> sentences(kRandomSentences);
  for (TokenIds& sentence : sentences) {
    if (config.add_bos_token) {
      sentence.push_back(Vocabulary::kBos);
    }
    const int words = std::min(between(kShortest, kLongest), longest);
    for (int i = 0; i < words; ++i) {
      sentence.push_back(between(first_id, last_id));
    }
    sentence.push_back(Vocabulary::kEos);
  }
  return sentences;
}

EncodedText encoded(const BenchOptions& options, const Ready& ready) {
  if (options.source.empty() && is_language_model(ready.model.config())) {
    return {std::vector<TokenIds>(kRandomSentences), random_sentences(ready.model.config())};
  }
  if (options.source.empty()) {
    return {random_sentences(ready.model.config()), {}};
  }
  if (!options.reference.empty()) {
    return eval::encode(ready.codec, {options.source, options.reference});
  }
  return {ready.codec.encode_sources(options.source), {}};
}

formats::ModelFile read(const BenchOptions& options) {
  return formats::read_model(options.model, options.vocabulary);
}

std::int64_t decoded_bytes(const Checkpoint& checkpoint) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    bytes += static_cast<std::int64_t>(tensor.size() * (tensor.quantized() ? 1 : sizeof(float)));
  }
  return bytes;
}

// The matrices of linear layers, in float.
std::vector<std::vector<float>> dense_matrices(const Checkpoint& checkpoint) {
  std::vector<std::vector<float>> matrices;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const Tensor& tensor = checkpoint.tensors.at(spec.name);
    if (spec.role == Role::kMatrix && !tensor.quantized()) {
      matrices.push_back(tensor.values());
    }
  }
  std::ranges::stable_sort(matrices, std::greater(), &std::vector<float>::size);
  return matrices;
}

using Translations = std::vector<std::vector<Hypothesis>>;

std::int64_t length(const TokenIds& sentence) {
  return static_cast<std::int64_t>(sentence.size());
}

// A search takes a step for every token of its longest hypothesis.
double search_flop(const ModelConfig& config, const TokenIds& source,
                   const std::vector<Hypothesis>& hypotheses, int beam) {
  const Hypothesis& longest = std::ranges::max(
      hypotheses, {}, [](const Hypothesis& hypothesis) { return hypothesis.tokens.size(); });
  return 2.0 * static_cast<double>(
                   eval::search_mult_adds(config, length(source), length(longest.tokens), beam));
}

// Everything that the rounds have in common.
class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {
    formats::ModelFile file = read(options);
    const Ready ready(file.checkpoint, options.arithmetic);
    text_ = encoded(options, ready);
    matrices_ = dense_matrices(file.checkpoint);
    if (file.container == "ltz") {
      ltz_bytes_ = formats::read_file(options.model);
      work_.decoded_bytes = decoded_bytes(file.checkpoint);
    }
    work_.file_bytes = file.bytes;
    work_.parameters = eval::count_parameters(file.checkpoint.config).total;
    if (is_language_model(file.checkpoint.config)) {
      count_words(ready.model.config());
      return;
    }
    const Translations translations = translate_all(ready);
    if (text_.target.empty()) {
      for (const std::vector<Hypothesis>& hypotheses : translations) {
        text_.target.push_back(hypotheses.front().tokens);
      }
    }
    count_work(ready.model.config(), translations);
  }

  const BenchWork& work() const { return work_; }

  BenchTimes round(int threads) const {
    omp_set_num_threads(threads);
    BenchTimes times{.threads = threads};
    const int processors = std::min(threads, omp_get_num_procs());
    const eval::MachineLimits before = eval::measure_machine(processors);
    std::optional<Ready> ready;
    times.load = seconds([&] { ready.emplace(read(options_).checkpoint, options_.arithmetic); });
    if (is_language_model(ready->model.config())) {
      times.next = seconds([&] { foretell(ready->model); });
    } else {
      times.first = seconds(
          [&] { beam_search(ready->model, std::span(text_.source).first(1), options_.beam); });
      times.translate = seconds([&] { translate_all(*ready); });
    }
    times.nll = seconds([&] {
      score_text(ready->model, text_.source, text_.target, batch_by_length(text_.target));
    });
    times.decode = seconds([&] {
      if (!ltz_bytes_.empty()) {
        formats::decode_ltz(ltz_bytes_, options_.model);
      }
    });
    times.kmeans = seconds([&] {
      parallel_for(matrices_.size(), [&](std::size_t i) { compress::kmeans(matrices_[i], {}); });
    });
    const eval::MachineLimits after = eval::measure_machine(processors);
    times.limits = {std::midpoint(before.gemm, after.gemm),
                    std::midpoint(before.memory, after.memory)};
    return times;
  }

 private:
  Translations translate_all(const Ready& ready) const {
    return translate(ready.model, text_.source, options_.beam, batch_by_length(text_.source));
  }

  // Sentences whose words are read one by one, as a keyboard does.
  std::span<const TokenIds> typed() const {
    constexpr std::size_t kTyped = 20;
    return std::span(text_.target).first(std::min(kTyped, text_.target.size()));
  }

  // A sentence without what is in front of it and behind it.
  static std::span<const int> words_of(const ModelConfig& config, const TokenIds& sentence) {
    return std::span(sentence).first(sentence.size() - 1).subspan(config.add_bos_token ? 1 : 0);
  }

  void foretell(const Transformer& model) const {
    for (const TokenIds& sentence : typed()) {
      Continuation text(model);
      for (const int token : words_of(model.config(), sentence)) {
        text.extend({&token, 1});
        text.best(kNextWords);
      }
    }
  }

  // Of a language model.
  void count_words(const ModelConfig& config) {
    for (const TokenIds& sentence : text_.target) {
      work_.target_tokens += length(sentence);
      work_.nll_flop += 2.0 * static_cast<double>(eval::mult_adds(config, 0, length(sentence)) +
                                                  eval::scoring_mult_adds(config, sentence));
    }
    for (const TokenIds& sentence : typed()) {
      const auto words = static_cast<std::int64_t>(words_of(config, sentence).size());
      for (std::int64_t word = 1; word <= words; ++word) {
        work_.next_flop += 2.0 * static_cast<double>(eval::step_mult_adds(config, 0, word + 1, 1));
      }
      work_.next_words += words;
    }
    count_texts();
  }

  void count_texts() {
    work_.sentences = static_cast<std::int64_t>(text_.source.size());
    for (const std::vector<float>& matrix : matrices_) {
      work_.matrix_weights += static_cast<std::int64_t>(matrix.size());
    }
  }

  void count_work(const ModelConfig& config, const Translations& translations) {
    const int beam = options_.beam.beam;
    for (std::size_t i = 0; i < text_.source.size(); ++i) {
      work_.translate_flop += search_flop(config, text_.source[i], translations[i], beam);
      work_.nll_flop += 2.0 * static_cast<double>(eval::reading_mult_adds(
                                  config, length(text_.source[i]), length(text_.target[i])));
      work_.source_tokens += length(text_.source[i]);
      work_.target_tokens += length(text_.target[i]);
    }
    work_.first_flop = search_flop(config, text_.source.front(), translations.front(), beam);
    count_texts();
  }

  const BenchOptions& options_;
  EncodedText text_;
  std::vector<std::vector<float>> matrices_;  // the largest first
  std::vector<std::byte> ltz_bytes_;          // of the file, if it is a .ltz
  BenchWork work_;
};

}  // namespace

BenchResult run_bench(const BenchOptions& options, int threads, const Progress& progress) {
  const Bench bench(options);
  std::vector<int> counts = {1};
  if (threads > 1) {
    counts.push_back(threads);
  }
  const std::size_t total = counts.size() * static_cast<std::size_t>(options.runs);
  // The numbers of threads take turns, so that a busy minute of the machine falls on all of them.
  BenchResult result{.work = bench.work(), .rounds = std::vector<BenchRounds>(counts.size())};
  for (std::size_t done = 0; done < total; ++done) {
    const std::size_t i = done % counts.size();
    result.rounds[i].push_back(bench.round(counts[i]));
    progress(done + 1, total);
  }
  omp_set_num_threads(threads);
  return result;
}

}  // namespace ltz::pipeline
