#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/model_output.h"
#include "cli/options/options.h"
#include "cli/pipeline/digits.h"
#include "cli/terminal/terminal.h"
#include "formats/files/file.h"

namespace ltz::cli {
namespace {

struct PackOptions {
  ModelOptions model;
  std::string output;
};

struct UnpackOptions {
  ModelOptions model;
  ModelOutput output;
};

int run_pack(const PackOptions& options) {
  Files().reads(options.model).writes_ltz(options.output).check();
  const formats::ModelFile file = options.model.read();
  const std::vector<std::byte> bytes = formats::encode_ltz(file.checkpoint, made_of(file));
  formats::write_file_atomically(options.output, bytes);
  say(fmt::format("{}: {} bytes", options.output,
                  pipeline::with_separators(static_cast<long long>(bytes.size()))));
  return kDone;
}

int run_unpack(const UnpackOptions& options) {
  Files().reads(options.model).writes(options.output).check();
  options.output.write(options.model.read());
  return kDone;
}

}  // namespace

void setup_pack(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("pack", "Write the compact file, losing nothing");
  auto options = std::make_shared<PackOptions>();
  add_model(*command, options->model);
  command->add_option("-o,--output", options->output, "The .ltz to write; - is standard output")
      ->required();
  command->footer("Example:\n  ltz quantize model.h5 -o q.h5 && ltz pack q.h5 -o model.ltz");
  command->callback([options, &action] { action = [options] { return run_pack(*options); }; });
}

void setup_unpack(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("unpack", "Turn a .ltz into .h5, with its codebooks, codes and masks");
  auto options = std::make_shared<UnpackOptions>();
  add_model(*command, options->model);
  add_model_output(*command, options->output);
  command->footer("Example:\n  ltz unpack model.ltz -o model.h5 && h5dump -n model.h5");
  command->callback([options, &action] { action = [options] { return run_unpack(*options); }; });
}

}  // namespace ltz::cli
