#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/terminal/exit_codes.h"

// One function per subcommand, each in the file of its name: it declares the options and, when the
// subcommand was given, sets the action to run. An action returns the exit code.
namespace ltz::cli {

using Action = std::function<int()>;

void setup_inspect(CLI::App& app, Action& action);
void setup_convert(CLI::App& app, Action& action);
void setup_sensitivity(CLI::App& app, Action& action);
void setup_prune(CLI::App& app, Action& action);
void setup_quantize(CLI::App& app, Action& action);
void setup_finetune(CLI::App& app, Action& action);
void setup_pack(CLI::App& app, Action& action);
void setup_unpack(CLI::App& app, Action& action);
void setup_compress(CLI::App& app, Action& action);
void setup_translate(CLI::App& app, Action& action);
void setup_generate(CLI::App& app, Action& action);
void setup_score(CLI::App& app, Action& action);
void setup_eval(CLI::App& app, Action& action);
void setup_verify(CLI::App& app, Action& action);
void setup_bench(CLI::App& app, Action& action);
// After all others, which it lists.
void setup_help(CLI::App& app, Action& action);

}  // namespace ltz::cli
