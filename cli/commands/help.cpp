#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/options/suggest.h"

namespace ltz::cli {

void setup_help(CLI::App& app, Action& action) {
  std::vector<std::string> names = {"help"};
  for (const CLI::App* other : app.get_subcommands({})) {
    names.push_back(other->get_name());
  }
  auto* command = app.add_subcommand("help", "Show what a command is for, and its options");
  auto name = std::make_shared<std::string>();
  command->add_option("COMMAND", *name, "Which one; without it, all commands are listed")
      ->default_str("")
      ->check([names](const std::string& word) {
        return std::ranges::find(names, word) != names.end()
                   ? std::string()
                   : fmt::format("unknown command {}{}", word, did_you_mean(word, names));
      });
  command->footer("Example:\n  ltz help compress");
  command->callback([&app, name, &action] {
    action = [&app, name] {
      fmt::print("{}", name->empty() ? app.get_formatter()->make_help(&app, app.get_name(),
                                                                      CLI::AppFormatMode::Normal)
                                     : app.get_subcommand(*name)->help(app.get_name()));
      return kDone;
    };
  });
}

}  // namespace ltz::cli
