#include <unistd.h>

#include <filesystem>

#include "bench_model.h"
#include "formats/models/model_file.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

// From a file to ready to translate. The limit counts the bytes of the file, which is in the page
// cache, and those of the weights as float32.
namespace ltz::bench {
namespace {

std::int64_t float_bytes(const Checkpoint& checkpoint) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    bytes += tensor.size() * static_cast<std::int64_t>(sizeof(float));
  }
  return bytes;
}

// suffix: of the file's name, which says what container it is.
void load(benchmark::State& state, const char* suffix) {
  const Checkpoint& checkpoint = quantized_checkpoint();
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("ltz-benchmarks-" + std::to_string(::getpid()) + suffix);
  formats::write_model(path, checkpoint);
  for (auto _ : state) {
    const Checkpoint read = formats::read_model(path, {}).checkpoint;
    const Transformer model(read);
    const TextCodec codec(read);
    benchmark::DoNotOptimize(&model);
    benchmark::DoNotOptimize(&codec);
  }
  report_bytes(
      state, static_cast<std::int64_t>(std::filesystem::file_size(path)) + float_bytes(checkpoint));
  std::filesystem::remove(path);
}
BENCHMARK_CAPTURE(load, ltz, ".ltz")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load, h5, ".h5")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ltz::bench
