#include "cli/options/model_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/options/values.h"
#include "formats/files/file.h"
#include "model/base/error.h"

namespace ltz::cli {

std::string ModelOutput::container() const {
  const std::string named = formats::container_of_name(path);
  if (!named.empty() && !to.empty() && named != to) {
    throw CLI::ValidationError(
        "--to", fmt::format("expected {}, as the name {} says, found {}", named, path, to));
  }
  if (!named.empty() || !to.empty()) {
    return named.empty() ? to : named;
  }
  if (formats::is_written_directly(path)) {
    if (nameless.empty()) {
      throw CLI::ValidationError(
          "--to",
          fmt::format("expected h5, safetensors or ltz, as {} does not say it, found none", path));
    }
    return nameless;
  }
  throw ConfigError(path + ": expected a name that ends in .h5, .safetensors or .ltz");
}

void ModelOutput::write(const Checkpoint& checkpoint, const formats::Provenance& made) const {
  formats::write_file_atomically(path, formats::encode_model(checkpoint, container(), made));
}

void ModelOutput::write(const formats::ModelFile& model) const {
  write(model.checkpoint, made_of(model));
}

formats::Provenance made_of(const formats::ModelFile& model) {
  return model.made.empty() ? pipeline::made_by_ltz() : model.made;
}

void add_model_output(CLI::App& command, ModelOutput& output) {
  output.nameless = "h5";
  command
      .add_option("-o,--output", output.path,
                  "The .h5, .safetensors or .ltz to write; - is standard output")
      ->required();
  add_container(command, output);
}

CLI::Option* add_container(CLI::App& command, ModelOutput& output) {
  return choose(
             command.add_option("--to", output.to,
                                "What to write where the name does not say it, such as -" +
                                    (output.nameless.empty() ? std::string()
                                                             : "; without it, " + output.nameless)),
             {"h5", "safetensors", "ltz"})
      ->default_str("");
}

void refuse_terminal(const std::string& path) {
  if ((path == "-" || path == "/dev/stdout") && ::isatty(STDOUT_FILENO) != 0) {
    throw CLI::ValidationError(path +
                               ": expected a file or a pipe for the model, found a terminal");
  }
}

}  // namespace ltz::cli
