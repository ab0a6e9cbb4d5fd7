#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/model_output.h"
#include "cli/options/onnx_options.h"
#include "cli/options/options.h"
#include "formats/files/folder.h"
#include "model/base/context.h"
#include "model/checkpoint/average.h"

namespace ltz::cli {
namespace {

struct Options {
  std::vector<std::string> files;  // inputs, then the output
  formats::VocabularyFiles vocabulary;
  OnnxExport onnx;
  ModelOutput output;  // named by the last of the files
};

// Every parameter as plain floats, for tools that know nothing of codebooks.
void decode_tensors(Checkpoint& checkpoint) {
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (tensor.quantized()) {
      tensor = dense_tensor(tensor.shape, tensor.values());
    }
  }
}

int run(Options options) {
  const std::span inputs(options.files.data(), options.files.size() - 1);
  ModelOutput& output = options.output;
  output.path = options.files.back();
  Files files;
  if (options.onnx.wanted) {
    files.writes_folder(output.path);
  } else {
    files.writes(output);
  }
  for (const std::string& input : inputs) {
    files.reads(ModelOptions{.path = input, .vocabulary = options.vocabulary});
  }
  files.check();
  CheckpointAverage average;
  for (const std::string& input : inputs) {
    formats::ModelFile file = formats::read_model(input, options.vocabulary);
    if (file.container == "ltz" && !options.onnx.wanted) {
      decode_tensors(file.checkpoint);
    }
    in_context(input, [&] { average.add(std::move(file.checkpoint)); });
  }
  if (options.onnx.wanted) {
    formats::write_folder(output.path, formats::export_onnx(average.take(), options.onnx.options));
  } else {
    output.write(average.take());
  }
  return kDone;
}

}  // namespace

void setup_convert(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("convert", "Convert between containers, or to ONNX");
  auto options = std::make_shared<Options>();
  add_vocabulary_files(*command, options->vocabulary);
  add_onnx(*command, options->onnx);
  add_container(*command, options->output)->excludes("--format");
  command
      ->add_option("FILES", options->files,
                   "The model to read (of several, the average is taken), and the file to write in "
                   "the container of its name: .h5, .safetensors or .ltz; with --format onnx, the "
                   "folder")
      ->option_text("IN... OUT")
      ->default_str("")
      ->expected(2, 1000)
      ->required();
  command->footer(
      "From .ltz it decodes to plain floats; `ltz unpack` keeps the codebooks.\n"
      "Examples:\n"
      "  ltz convert checkpoint.pt model.safetensors\n"
      "  ltz convert checkpoint41.pt checkpoint42.pt checkpoint43.pt average.h5\n"
      "  ltz convert checkpoint.pt - --to safetensors | gzip >model.safetensors.gz\n"
      "  ltz convert model.ltz model-onnx --format onnx --weights codes");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
