#include <algorithm>
#include <numeric>
#include <span>

#include "bench_model.h"
#include "eval/budget/accounting.h"
#include "model/decoding/batching.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/scoring.h"
#include "model/kernels/weight_matrix.h"

namespace ltz::bench {
namespace {

// Sentences of like length, as one batch of a longer text has them. A text with fewer is repeated.
EncodedText batch(std::size_t count) {
  const EncodedText& text = bench_model().text;
  const std::size_t of_text = std::min(count, text.source.size());
  std::vector<std::size_t> order(text.source.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return text.source[i].size(); });
  EncodedText chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t s = order[(order.size() - of_text) / 2 + i % of_text];
    chosen.source.push_back(text.source[s]);
    chosen.target.push_back(text.target[s]);
  }
  return chosen;
}

std::int64_t length(const TokenIds& sentence) {
  return static_cast<std::int64_t>(sentence.size());
}

Tensor square_matrix(int width, bool coded) {
  const Matrix values = Matrix::Random(width, width);
  const Shape shape = {width, width};
  if (!coded) {
    return dense_tensor(shape, {values.data(), values.data() + values.size()});
  }
  QuantizedValues quantized;
  for (int j = 0; j < 16; ++j) {
    quantized.centroids.push_back(static_cast<float>(j - 8));
  }
  for (const float value : values.reshaped()) {
    quantized.codes.push_back(static_cast<std::uint8_t>(8.0f * (value + 0.999f)));
  }
  return {shape, quantized};
}

// Products of a square matrix with the rows of a batch: in floats, from codes of 4 bits, and in
// bytes with what it takes to make bytes of the rows.
void product(benchmark::State& state, Arithmetic arithmetic, bool coded) {
  const auto width = static_cast<int>(state.range(0));
  const auto rows = static_cast<int>(state.range(1));
  const Matrix x = Matrix::Random(rows, width);
  const WeightMatrix matrix(square_matrix(width, coded), width, width, arithmetic);
  Matrix y(rows, width);
  for (auto _ : state) {
    const ProductRows prepared(x, arithmetic);
    matrix.multiply(prepared.all(), y);
    benchmark::DoNotOptimize(y.data());
  }
  report_mult_adds(state, std::int64_t{rows} * width * width);
}
BENCHMARK_CAPTURE(product, float32, Arithmetic::kFloat32, false)
    ->ArgNames({"width", "rows"})
    ->ArgsProduct({{80, 160, 496}, {4, 256}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(product, codes, Arithmetic::kFloat32, true)
    ->ArgNames({"width", "rows"})
    ->ArgsProduct({{80, 160, 496}, {4, 256}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(product, int8, Arithmetic::kInt8, false)
    ->ArgNames({"width", "rows"})
    ->ArgsProduct({{80, 160, 496}, {4, 256}})
    ->Unit(benchmark::kMicrosecond);

// With the keys and values that the decoder needs of the source.
void encode(benchmark::State& state) {
  const Transformer& model = bench_model().model;
  const auto sentences = batch(static_cast<std::size_t>(state.range(0))).source;
  for (auto _ : state) {
    const EncodedBatch encoded = model.encode(sentences);
    benchmark::DoNotOptimize(model.start_decoding(encoded));
  }
  std::int64_t work = 0;
  for (const TokenIds& sentence : sentences) {
    work += eval::mult_adds(model.config(), length(sentence), 0);
  }
  report_mult_adds(state, work);
}
BENCHMARK(encode)->ArgName("sentences")->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMicrosecond);

// The rows of a step in the middle of a sentence, each with a history of its own; the source is the
// same. Logits included.
void decoder_step(benchmark::State& state) {
  constexpr std::int64_t kHistory = 8;
  const Transformer& model = bench_model().model;
  const std::int64_t rows = state.range(0);
  const std::vector<TokenIds> source = batch(1).source;
  const EncodedBatch encoded = model.encode(source);
  std::vector<std::int32_t> source_rows(source.front().size());
  std::iota(source_rows.begin(), source_rows.end(), 0);
  std::vector<std::vector<std::int32_t>> histories(static_cast<std::size_t>(rows));
  const auto next_rows = [&](std::int64_t step) {
    std::vector<DecoderRow> next;
    for (std::vector<std::int32_t>& history : histories) {
      history.push_back(static_cast<std::int32_t>(step * rows) +
                        static_cast<std::int32_t>(next.size()));
      next.push_back({Vocabulary::kEos, static_cast<int>(step), history, source_rows});
    }
    return next;
  };
  DecoderState before = model.start_decoding(encoded);
  for (std::int64_t step = 0; step < kHistory - 1; ++step) {
    model.decode(before, next_rows(step));
  }
  const std::vector<DecoderRow> step_rows = next_rows(kHistory - 1);
  for (auto _ : state) {
    state.PauseTiming();
    DecoderState decoding = before;
    state.ResumeTiming();
    benchmark::DoNotOptimize(model.logits(model.decode(decoding, step_rows)));
  }
  report_mult_adds(state,
                   eval::step_mult_adds(model.config(), length(source.front()), kHistory, rows));
}
BENCHMARK(decoder_step)
    ->ArgName("rows")
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->Arg(64)
    ->Arg(256)
    ->Unit(benchmark::kMicrosecond);

void search(benchmark::State& state) {
  const Transformer& model = bench_model().model;
  const auto sentences = batch(static_cast<std::size_t>(state.range(0))).source;
  const BeamOptions options;
  std::vector<std::vector<Hypothesis>> found;
  for (auto _ : state) {
    found = beam_search(model, sentences, options);
  }
  std::int64_t work = 0;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const Hypothesis& longest = std::ranges::max(
        found[i], {}, [](const Hypothesis& hypothesis) { return hypothesis.tokens.size(); });
    work += eval::search_mult_adds(model.config(), length(sentences[i]), length(longest.tokens),
                                   options.beam);
  }
  report_mult_adds(state, work);
}
BENCHMARK(search)
    ->Name("beam_search")
    ->ArgName("sentences")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond);

void teacher_forced_nll(benchmark::State& state) {
  const Transformer& model = bench_model().model;
  const EncodedText text = batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(negative_log_likelihood(model, text.source, text.target));
  }
  std::int64_t work = 0;
  for (std::size_t i = 0; i < text.source.size(); ++i) {
    work += eval::reading_mult_adds(model.config(), length(text.source[i]), length(text.target[i]));
  }
  report_mult_adds(state, work);
}
BENCHMARK(teacher_forced_nll)
    ->ArgName("sentences")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ltz::bench
