#include <algorithm>
#include <cmath>
#include <vector>

#include "bench_model.h"
#include "formats/entropy/context_coder.h"
#include "formats/entropy/rans.h"

// Decoding the codes of one matrix after the other: the 8-bit codebooks of all linear layers. The
// limit counts the bytes of the stream and those of the codes.
namespace ltz::bench {
namespace {

struct Coded {
  std::vector<std::byte> bytes;
  std::size_t count;
  formats::CodeLayout layout;
};

template <typename Encode>
std::vector<Coded> code_all(const Encode& encode) {
  const Checkpoint& checkpoint = quantized_checkpoint();
  std::vector<Coded> all;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const auto* tensor = std::get_if<QuantizedValues>(&checkpoint.tensors.at(spec.name).data);
    if (spec.role == Role::kMatrix && tensor != nullptr) {
      const auto alphabet = static_cast<int>(tensor->centroids.size());
      const auto zero = std::ranges::min_element(
          tensor->centroids, {}, [](float centroid) { return std::fabs(centroid); });
      const formats::CodeLayout layout{.columns = static_cast<std::size_t>(spec.shape.back()),
                                       .alphabet = alphabet,
                                       .zero = static_cast<int>(zero - tensor->centroids.begin())};
      all.push_back({encode(tensor->codes, layout), tensor->codes.size(), layout});
    }
  }
  return all;
}

template <typename Decode>
void decode_all(benchmark::State& state, const std::vector<Coded>& all, const Decode& decode) {
  for (auto _ : state) {
    for (const Coded& coded : all) {
      benchmark::DoNotOptimize(decode(coded));
    }
  }
  std::size_t bytes = 0;
  for (const Coded& coded : all) {
    bytes += coded.bytes.size() + coded.count;
  }
  report_bytes(state, static_cast<std::int64_t>(bytes));
}

void context_decode(benchmark::State& state) {
  const auto all = code_all([](const auto& codes, const formats::CodeLayout& layout) {
    return formats::context_encode(codes, layout);
  });
  decode_all(state, all, [](const Coded& coded) {
    return formats::context_decode(coded.bytes, coded.count, coded.layout);
  });
}
BENCHMARK(context_decode)->Unit(benchmark::kMillisecond);

void rans_decode(benchmark::State& state) {
  const auto all = code_all([](const auto& codes, const formats::CodeLayout& layout) {
    return formats::rans_encode(codes, layout.alphabet);
  });
  decode_all(state, all, [](const Coded& coded) {
    return formats::rans_decode(coded.bytes, coded.count, coded.layout.alphabet);
  });
}
BENCHMARK(rans_decode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ltz::bench
