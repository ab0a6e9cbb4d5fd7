#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "formats/file.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output;
};

// Every parameter as plain floats, for tools that know nothing of codebooks.
void decode_tensors(Checkpoint& checkpoint) {
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (tensor.quantized()) {
      tensor = dense_tensor(tensor.shape, tensor.values());
    }
  }
}

int run(const Options& options) {
  formats::require_different_files(options.model.path, options.output);
  formats::ModelFile file = options.model.read();
  if (file.container == "ltz") {
    decode_tensors(file.checkpoint);
  }
  formats::write_model(options.output, file.checkpoint);
  return kDone;
}

}  // namespace

void setup_convert(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("convert", "Convert between containers");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  command->add_option("OUT", options->output, "Written as its name says: .h5 or .ltz")->required();
  command->footer(
      "From .ltz it decodes to plain floats; `ltz unpack` keeps the codebooks.\n"
      "Example:\n  ltz convert checkpoint.pt model.h5");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
