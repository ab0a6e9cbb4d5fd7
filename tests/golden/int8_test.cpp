#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "eval/quality/evaluate.h"
#include "formats/models/model_file.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

// The example model with products of bytes, beside the same in floats.
namespace ltz {
namespace {

std::vector<std::string> first_lines(const std::string& path, std::size_t count) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; lines.size() < count && std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("int8 reads and translates like float32, a little differently", "[int8]") {
  const std::string folder = LTZ_EXAMPLES_DIR;
  const Checkpoint checkpoint =
      formats::read_model(folder + "/tatoeba-160/checkpoint.pt", {}).checkpoint;
  const eval::ParallelText text{first_lines(folder + "/everyday.en", 40),
                                first_lines(folder + "/everyday.fr", 40)};
  REQUIRE(text.source.size() == 40);
  const TextCodec codec(checkpoint);
  const eval::Scores exact = eval::evaluate(Transformer(checkpoint), codec, text, {});
  Transformer model(checkpoint, Arithmetic::kInt8);
  const eval::Scores bytes = eval::evaluate(model, codec, text, {});
  CHECK(bytes.nll != exact.nll);
  CHECK(bytes.nll == Approx(exact.nll).margin(0.02));
  std::size_t same = 0;
  for (std::size_t i = 0; i < text.source.size(); ++i) {
    same += bytes.hypotheses[i] == exact.hypotheses[i] ? 1 : 0;
  }
  CHECK(same >= 30);
  // What is replaced is quantized, too.
  const std::string name = "decoder.layers.0.fc1.weight";
  const Tensor& tensor = checkpoint.tensors.at(name);
  std::vector<float> values = tensor.values();
  model.replace(name, std::vector<float>(values.size(), 0.0f));
  const EncodedText encoded = eval::encode(codec, text);
  const auto nll = [&] {
    return score_text(model, encoded.source, encoded.target, batch_by_length(encoded.target))
        .mean();
  };
  CHECK(nll() > bytes.nll + 0.1);
  model.replace(name, values);
  CHECK(nll() == bytes.nll);
}

}  // namespace ltz
