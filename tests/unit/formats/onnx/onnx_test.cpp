#include "formats/onnx/onnx.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "formats/bytes/bytes.h"
#include "formats/onnx/graph.h"
#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

constexpr unsigned kArchitectures = 160;

onnx::ModelProto parse(const std::vector<std::byte>& bytes) {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return model;
}

std::string shape_of(const onnx::ValueInfoProto& value) {
  std::string text = value.name() + ":";
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    text += " " + (dimension.has_dim_param() ? dimension.dim_param()
                                             : std::to_string(dimension.dim_value()));
  }
  return text;
}

template <typename Values>
std::vector<std::string> shapes_of(const Values& values) {
  std::vector<std::string> shapes;
  for (const onnx::ValueInfoProto& value : values) {
    shapes.push_back(shape_of(value));
  }
  return shapes;
}

// Bytes of the initializers by name.
std::map<std::string, std::size_t> constants_of(const onnx::ModelProto& model) {
  std::map<std::string, std::size_t> sizes;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    CHECK(sizes.emplace(tensor.name(), tensor.raw_data().size()).second);
  }
  return sizes;
}

// What ONNX's own library says of a model: every operator there is with these inputs, and what they
// compute has the shapes and types that the outputs are declared with.
void require_valid(onnx::ModelProto model) {
  onnx::checker::check_model(model);
  onnx::ShapeInferenceOptions strict(true, 1, false);
  onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict);
}

// The tiny model: 8 channels, of which 4 are attention's with 2 heads.
OnnxFiles export_tiny(const OnnxOptions& options) {
  return export_onnx(tiny_checkpoint(1), options);
}

}  // namespace

TEST_CASE("the graphs of every architecture are valid ONNX, in every opset", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    CAPTURE(seed);
    OnnxOptions options{.opset = OnnxOptions::kOldestOpset + static_cast<int>(seed % 5),
                        .weights = seed % 2 == 0 ? OnnxWeights::kFloat32 : OnnxWeights::kFloat16};
    if (seed % 3 == 0) {
      options.lengths = {.batch = 3, .source = 7, .target = 5};
    }
    const OnnxFiles files =
        export_onnx(random_checkpoint(random_architecture(seed), seed), options);
    for (const char* name : {"encoder.onnx", "decoder_step.onnx"}) {
      const onnx::ModelProto model = parse(files.at(name));
      CHECK_NOTHROW(require_valid(model));
      CHECK(model.opset_import_size() == 1);
      CHECK(model.opset_import(0).version() == options.opset);
      CHECK(model.opset_import(0).domain().empty());
    }
  }
}

TEST_CASE("the graph of every language model is valid ONNX, in every opset", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    CAPTURE(seed);
    OnnxOptions options{.opset = OnnxOptions::kOldestOpset + static_cast<int>(seed % 5),
                        .weights = seed % 2 == 0 ? OnnxWeights::kFloat32 : OnnxWeights::kFloat16};
    if (seed % 3 == 0) {
      options.lengths = {.batch = 3, .source = 1000, .target = 5};
    }
    const Checkpoint checkpoint = random_checkpoint(random_language_model(seed), seed);
    const OnnxFiles files = export_onnx(checkpoint, options);
    CHECK_FALSE(files.contains("encoder.onnx"));
    CHECK_FALSE(files.contains("source_vocabulary.txt"));
    const onnx::ModelProto model = parse(files.at("decoder_step.onnx"));
    CHECK_NOTHROW(require_valid(model));
    for (const onnx::ValueInfoProto& input : model.graph().input()) {
      CHECK(input.name().find("cross") == std::string::npos);
    }
    options.logits = true;
    if (checkpoint.config.adaptive_softmax.cutoffs.empty()) {
      CHECK_NOTHROW(export_onnx(checkpoint, options));
    } else {
      CHECK_THROWS_AS(export_onnx(checkpoint, options), ConfigError);
    }
  }
}

TEST_CASE("tied tables and projections are stored once") {
  unsigned seed = 0;
  const auto all_tied = [](const ModelConfig& config) {
    return config.tie_adaptive_proj && input_bands(config).size() >= 3;
  };
  while (!all_tied(random_language_model(seed))) {
    ++seed;
  }
  const ModelConfig config = random_language_model(seed);
  const OnnxFiles files = export_onnx(random_checkpoint(config, seed), {});
  const auto constants = constants_of(parse(files.at("decoder_step.onnx")));
  const std::vector<Band> bands = input_bands(config);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    CHECK(constants.at(input_table(b)) ==
          4 * static_cast<std::size_t>(bands[b].size) * static_cast<std::size_t>(bands[b].width));
    CHECK_FALSE(constants.contains(input_projection(b) + ".transposed"));
  }
}

TEST_CASE("inputs and outputs of the graphs") {
  OnnxOptions options;
  SECTION("of any lengths") {
    const OnnxFiles files = export_tiny(options);
    const onnx::ModelProto encoder = parse(files.at("encoder.onnx"));
    CHECK(shapes_of(encoder.graph().input()) ==
          std::vector<std::string>{"source_tokens: batch source"});
    CHECK(shapes_of(encoder.graph().output()) ==
          std::vector<std::string>{"cross_keys_0: batch 2 4 source",
                                   "cross_values_0: batch 2 source 4",
                                   "source_bias: batch 1 1 source"});
    const onnx::ModelProto decoder = parse(files.at("decoder_step.onnx"));
    CHECK(shapes_of(decoder.graph().input()) ==
          std::vector<std::string>{
              "token: batch", "position: 1", "source_bias: source_batch 1 1 source",
              "past_self_keys_0_0: batch 2 2 past", "past_self_values_0_0: batch 2 past 2",
              "past_window_0_1: batch 4 4", "cross_keys_0: source_batch 2 4 source",
              "cross_values_0: source_batch 2 source 4"});
    CHECK(shapes_of(decoder.graph().output()) ==
          std::vector<std::string>{
              "log_probabilities: batch 13", "present_self_keys_0_0: batch 2 2 present",
              "present_self_values_0_0: batch 2 present 2", "present_window_0_1: batch 4 4"});
  }
  SECTION("of fixed lengths, with logits") {
    options.lengths = {.batch = 4, .source = 9, .target = 6};
    options.logits = true;
    const OnnxFiles files = export_tiny(options);
    const onnx::ModelProto decoder = parse(files.at("decoder_step.onnx"));
    CHECK(shapes_of(decoder.graph().input()) ==
          std::vector<std::string>{"token: 4", "position: 1", "source_bias: 4 1 1 9",
                                   "past_self_keys_0_0: 4 2 2 6", "past_self_values_0_0: 4 2 6 2",
                                   "past_window_0_1: 4 4 4", "cross_keys_0: 4 2 4 9",
                                   "cross_values_0: 4 2 9 4"});
    CHECK(decoder.graph().output(0).name() == "logits");
  }
}

TEST_CASE("codes are stored as bytes, in the graph or beside it") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(1);
  OnnxOptions options{.weights = OnnxWeights::kCodes};
  const std::string table = "encoder.embed_tokens.weight";
  REQUIRE(checkpoint.tensors.at(table).quantized());
  const auto elements = static_cast<std::size_t>(checkpoint.tensors.at(table).size());
  SECTION("in the graph") {
    const OnnxFiles files = export_onnx(checkpoint, options);
    const onnx::ModelProto encoder = parse(files.at("encoder.onnx"));
    CHECK_NOTHROW(require_valid(encoder));
    CHECK(constants_of(encoder).at(table) == elements);
    CHECK_FALSE(files.contains(table + ".bin"));
  }
  SECTION("in a file") {
    options.tables_in_files = true;
    const OnnxFiles files = export_onnx(checkpoint, options);
    CHECK(files.at(table + ".bin").size() == elements);
    CHECK(constants_of(parse(files.at("encoder.onnx"))).at(table) == 0);
  }
}

TEST_CASE("zeros are left out where that takes less space, and nothing else changes") {
  Checkpoint pruned = tiny_checkpoint(1);
  // 8 bytes say where one of 4 is: two thirds of zeros are as large as before.
  const std::map<std::string, int> every = {{"encoder.layers.0.fc1.weight", 4},
                                            {"decoder.layers.0.fc1.weight", 3},
                                            {"decoder.layers.0.fc2.weight", 2}};
  for (const auto& [name, n] : every) {
    Tensor& tensor = pruned.tensors.at(name);
    std::vector<float> values = tensor.values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<int>(i) % n == 0 ? 1.0f + static_cast<float>(i) : 0.0f;
    }
    tensor = dense_tensor(tensor.shape, values);
  }
  const OnnxFiles dense = export_onnx(pruned, {});
  const OnnxFiles sparse = export_onnx(pruned, {.sparse = true});
  std::size_t left_out = 0;
  for (const char* file : {"encoder.onnx", "decoder_step.onnx"}) {
    CAPTURE(file);
    onnx::ModelProto model = parse(sparse.at(file));
    // Not require_valid: ONNX's shape inference has no rule for a product with a sparse tensor.
    onnx::checker::check_model(model);
    for (const onnx::SparseTensorProto& tensor : model.graph().sparse_initializer()) {
      const std::string& values = tensor.values().raw_data();
      const std::string& places = tensor.indices().raw_data();
      REQUIRE(places.size() == 2 * values.size());
      std::string elements(4 * static_cast<std::size_t>(tensor.dims(0) * tensor.dims(1)), '\0');
      for (std::size_t i = 0; 4 * i < values.size(); ++i) {
        const auto place =
            get_integer<std::uint64_t>(reinterpret_cast<const std::byte*>(places.data()) + 8 * i);
        elements.replace(4 * static_cast<std::size_t>(place), 4, values, 4 * i, 4);
      }
      onnx::TensorProto& filled = *model.mutable_graph()->add_initializer();
      filled = tensor.values();
      *filled.mutable_dims() = tensor.dims();
      filled.set_raw_data(elements);
      ++left_out;
    }
    model.mutable_graph()->clear_sparse_initializer();
    std::map<std::string, std::string> found;
    std::map<std::string, std::string> expected;
    for (const auto& tensor : model.graph().initializer()) {
      found.emplace(tensor.name(), tensor.raw_data());
    }
    const onnx::ModelProto filled_up = parse(dense.at(file));
    for (const auto& tensor : filled_up.graph().initializer()) {
      expected.emplace(tensor.name(), tensor.raw_data());
    }
    CHECK(found == expected);
  }
  CHECK(left_out == 1);
}

TEST_CASE("float16 takes half the bytes of float32") {
  const std::string name = "decoder.layers.0.fc1.weight.transposed";
  const auto bytes = [&](OnnxWeights weights) {
    return constants_of(parse(export_tiny({.weights = weights}).at("decoder_step.onnx"))).at(name);
  };
  CHECK(bytes(OnnxWeights::kFloat32) == 2 * bytes(OnnxWeights::kFloat16));
}

TEST_CASE("the same model and options make the same bytes") {
  const OnnxOptions options{.golden = 2};
  CHECK(export_tiny(options) == export_tiny(options));
}

TEST_CASE("golden sentences keep to fixed lengths") {
  OnnxOptions options{.golden = 14};
  options.lengths = {.batch = 1, .source = 4, .target = 3};
  const OnnxFiles files = export_tiny(options);
  const SafetensorsFile golden = parse_safetensors(files.at("golden.safetensors"));
  std::set<std::int64_t> lengths;
  for (int sentence = 0; sentence < options.golden; ++sentence) {
    const std::string prefix = std::to_string(sentence) + ".";
    lengths.insert(golden.tensors.at(prefix + "source_tokens").shape.at(1));
    const std::int64_t steps = golden.tensors.at(prefix + "tokens").shape.at(0);
    CHECK(steps <= 3);
    CHECK(golden.tensors.at(prefix + "log_probabilities").shape == Shape{steps, 13});
  }
  CHECK(lengths == std::set<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("what cannot be exported is refused") {
  CHECK_THROWS_AS(export_tiny({.weights = OnnxWeights::kCodes}), ConfigError);
  Checkpoint large = tiny_checkpoint(1);
  std::get<DenseValues>(large.tensors.at("encoder.layers.0.fc1.bias").data).values[0] = 1e6f;
  CHECK_NOTHROW(export_onnx(large, {}));
  CHECK_THROWS_AS(export_onnx(large, {.weights = OnnxWeights::kFloat16}), ConfigError);
  OnnxOptions longest;
  const ModelConfig config = tiny_checkpoint(1).config;
  longest.lengths = {.source = config.max_source_positions, .target = config.max_target_positions};
  CHECK_NOTHROW(export_tiny(longest));
  OnnxOptions too_long = longest;
  ++too_long.lengths->source;
  CHECK_THROWS_AS(export_tiny(too_long), ConfigError);
  too_long = longest;
  ++too_long.lengths->target;
  CHECK_THROWS_AS(export_tiny(too_long), ConfigError);
}

}  // namespace ltz::formats
