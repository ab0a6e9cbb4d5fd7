// export_architectures FOLDER COUNT: ONNX exports of so many random architectures and as many
// language models with golden outputs, one folder each, with all options in turn.
// tests/onnx/golden.mjs runs them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <string>

#include "formats/files/folder.h"
#include "formats/onnx/onnx.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

namespace {

using namespace ltz;

// Matrices and tables as codes, every other one with scales of its rows.
void quantize(Checkpoint& checkpoint) {
  bool scaled = false;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (spec.role != Role::kMatrix && spec.role != Role::kTable) {
      continue;
    }
    Tensor& tensor = checkpoint.tensors.at(spec.name);
    QuantizedValues quantized{.centroids = {-0.4f, -0.15f, 0.0f, 0.1f, 0.3f}};
    for (const float value : tensor.values()) {
      const auto nearest = std::ranges::min_element(
          quantized.centroids, {}, [&](float centroid) { return std::abs(centroid - value); });
      quantized.codes.push_back(static_cast<std::uint8_t>(nearest - quantized.centroids.begin()));
    }
    for (std::int64_t row = 0; scaled && row < row_count(tensor.shape); ++row) {
      quantized.row_scales.push_back(static_cast<std::uint8_t>(124 + row % 9));
    }
    tensor.data = std::move(quantized);
    scaled = !scaled;
  }
}

formats::OnnxOptions options_of(unsigned seed) {
  using formats::OnnxWeights;
  constexpr OnnxWeights kWeights[] = {OnnxWeights::kFloat32, OnnxWeights::kFloat16,
                                      OnnxWeights::kCodes};
  formats::OnnxOptions options{.opset = 13 + static_cast<int>(seed % 5),
                               .weights = kWeights[seed % 3],
                               .tables_in_files = seed % 4 == 1,
                               .logits = seed % 2 == 0,
                               .golden = 5};
  if (seed % 7 < 3) {
    options.lengths = {.batch = 1 + static_cast<int>(seed % 3), .source = 9, .target = 6};
  }
  return options;
}

void write(Checkpoint checkpoint, const formats::OnnxOptions& options,
           const std::filesystem::path& folder) {
  if (options.weights == formats::OnnxWeights::kCodes) {
    quantize(checkpoint);
  }
  formats::write_folder(folder, formats::export_onnx(checkpoint, options));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: export_architectures FOLDER COUNT\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  for (unsigned seed = 0; seed < std::stoul(argv[2]); ++seed) {
    const std::string number = std::to_string(seed);
    formats::OnnxOptions options = options_of(seed);
    write(random_checkpoint(random_architecture(seed), seed), options,
          folder / ("architecture-" + number));
    const ModelConfig config = random_language_model(seed);
    options.logits = options.logits && config.adaptive_softmax.cutoffs.empty();
    write(random_checkpoint(config, seed), options, folder / ("language-model-" + number));
  }
}
