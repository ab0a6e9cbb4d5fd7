#include "cli/options/onnx_options.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "cli/options/values.h"

namespace ltz::cli {
namespace {

constexpr const char* kGroup = "ONNX";

formats::OnnxLengths parse_lengths(const std::vector<int>& numbers) {
  return {.batch = numbers[0], .source = numbers[1], .target = numbers[2]};
}

}  // namespace

void add_onnx(CLI::App& command, OnnxExport& onnx) {
  using formats::OnnxOptions;
  using formats::OnnxWeights;
  OnnxOptions& options = onnx.options;
  const std::map<std::string, OnnxWeights> weights = {{"float32", OnnxWeights::kFloat32},
                                                      {"float16", OnnxWeights::kFloat16},
                                                      {"codes", OnnxWeights::kCodes}};
  auto* format =
      choose(command.add_option_function<std::string>(
                 "--format", [&onnx](const std::string&) { onnx.wanted = true; },
                 "What OUT becomes, if not what its name says: a folder with encoder.onnx, "
                 "decoder_step.onnx "
                 "and the vocabularies"),
             {"onnx"})
          ->group(kGroup);
  const auto add = [&](CLI::Option* option) { option->needs(format)->group(kGroup); };
  add(command.add_option("--opset", options.opset, "Version of the operators")
          ->check(between(OnnxOptions::kOldestOpset, OnnxOptions::kNewestOpset)));
  add(choose(
          command.add_option_function<std::string>(
              "--weights",
              [&options, weights](const std::string& name) { options.weights = weights.at(name); },
              "What weights are stored as; codes: K-means codes and codebooks, as the model has "
              "them"),
          {"float32", "float16", "codes"})
          ->default_str("float32"));
  add(command.add_flag("--separate-tables", options.tables_in_files,
                       "Embeddings and output projection in raw files of their own"));
  add(command.add_flag(
      "--sparse", options.sparse,
      "Leave the zeros of pruned matrices out, where that is smaller: of floats, not "
      "of codes"));
  add(command.add_flag("--logits", options.logits,
                       "Scores are logits, rather than log-probabilities"));
  add(command
          .add_option_function<std::vector<int>>(
              "--static-shapes",
              [&options](const std::vector<int>& numbers) {
                options.lengths = parse_lengths(numbers);
              },
              "Fixed numbers of sentences, source tokens and decoder steps")
          ->type_name("B,S,T")
          ->delimiter(',')
          ->expected(3)
          ->check(between(1, std::numeric_limits<int>::max())));
  add(command
          .add_option("--golden", options.golden,
                      "Sentences whose inputs and outputs are written to golden.safetensors")
          ->check(between(0, 1000)));
}

}  // namespace ltz::cli
