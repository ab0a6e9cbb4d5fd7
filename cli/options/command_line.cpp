#include "cli/options/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cli/options/suggest.h"

namespace ltz::cli {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

bool looks_like_option(std::string_view text) {
  return text.size() > 1 && text.starts_with('-');
}

// Whether all of the text is one Value, however large.
template <typename Value>
bool is_number(std::string_view text) {
  Value value = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

template <typename Value>
bool fits(std::string_view text) {
  Value value = {};
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

// CLI11 reads 010 as eight and 0x10 as sixteen, -1 as a large number if it is unsigned, the
// largest number where there are too many digits.
std::string check_whole_number(const std::string& text, bool is_signed) {
  if (!is_number<std::int64_t>(text)) {
    return "expected a whole number, found " + text;
  }
  if (!is_signed && text.starts_with('-')) {
    return "expected a number of at least 0, found " + text;
  }
  if (is_signed ? !fits<std::int64_t>(text) : !fits<std::uint64_t>(text)) {
    return "expected a smaller number, found " + text;
  }
  return "";
}

// "nan" is in every range of CLI11, and "inf" in some.
std::string check_number(const std::string& text) {
  double value = 0.0;
  if (!is_number<double>(text)) {
    return "expected a number, found " + text;
  }
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::isfinite(value) && fits<double>(text) ? ""
                                                    : "expected a finite number, found " + text;
}

void drop_leading_zeros(std::string& number) {
  const std::size_t first = number.starts_with('-') ? 1 : 0;
  const std::size_t digit = std::min(number.find_first_not_of('0', first), number.size() - 1);
  number.erase(first, digit - first);
}

// An option that lost its value takes the one behind it: `-o $UNSET --json`.
std::string check_text(const std::string& text) {
  return looks_like_option(text) ? fmt::format("expected a value, found {}", text) : "";
}

std::string check_file(const std::string& text) {
  const std::string error = check_text(text);
  return error.empty() ? "" : fmt::format("{} (a file of this name is ./{})", error, text);
}

// Before all other checks, which rely on it.
void check_first(CLI::Option* option, const std::function<std::string(std::string&)>& check) {
  option->transform(CLI::Validator(check, ""));
}

void complete(CLI::Option* option) {
  const std::string full = option->get_type_name();
  const std::string kind = full.substr(0, full.find(':'));
  if (kind == "INT" || kind == "UINT") {
    check_first(option, [kind](std::string& text) {
      const std::string error = check_whole_number(text, kind == "INT");
      if (error.empty()) {
        drop_leading_zeros(text);
      }
      return error;
    });
    option->type_name("N");
  } else if (kind == "FLOAT") {
    check_first(option, check_number);
    option->type_name("X");
  } else if (!option->get_positional() && option->get_type_size() != 0) {
    const bool file = kind == "TEXT";
    check_first(option, file ? check_file : check_text);
    option->type_name(file ? "FILE" : kind);
  }
}

// The command that was given, or the program.
const CLI::App& used_command(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

// Whether any command has this option.
bool is_known(const CLI::App& app, const std::string& name) {
  return std::ranges::any_of(app.get_subcommands({}), [&](const CLI::App* command) {
    return command->get_option_no_throw(name) != nullptr;
  });
}

std::string explain_unknown_option(const CLI::App& app, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const std::vector<std::string> before = app.remaining();
  if (std::ranges::find(before, argument) != before.end() && is_known(app, name)) {
    return fmt::format("{} is an option of a command: it belongs behind the command's name", name);
  }
  // -bits is one letter, or a word with a dash too few.
  const std::string word = "--" + name.substr(name.find_first_not_of('-'));
  return fmt::format("unknown option {}{}", name,
                     did_you_mean(word, option_names(used_command(app))));
}

std::string explain_unknown_command(const CLI::App& app, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return fmt::format("unknown command {}{}", name, did_you_mean(name, names));
}

// How often an option may be given, and how often it was.
std::string explain_count(const CLI::App& command, const std::string& message) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_items_expected_max() == 0) {
      continue;  // a flag
    }
    const int found = static_cast<int>(option->count());
    const std::string name =
        option->get_option_text().empty() ? option->get_name() : option->get_option_text();
    if (found > option->get_items_expected_max()) {
      return fmt::format("{}: given {} times, expected once", name, found);
    }
    if (found != 0 && found < option->get_items_expected_min()) {
      return fmt::format("{}: expected {} values, found {}", name, option->get_items_expected_min(),
                         found);
    }
  }
  return message.substr(0, message.find(':')) + ": expected a value, found none";
}

// message: "Could not convert: --seed = 1e99", of a number that is too large for the option, or of
// a flag.
std::string explain_conversion(const std::string& message) {
  const std::size_t name = message.find("--");
  const std::size_t equals = message.find(" = ");
  if (name == std::string::npos || equals == std::string::npos) {
    return message;
  }
  return fmt::format("{}: cannot be {}", message.substr(name, equals - name),
                     message.substr(equals + 3));
}

}  // namespace

void refuse_empty_values(std::span<const char* const> arguments) {
  std::string option;  // the argument before, if it looks like an option
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    const std::size_t equals = argument.find('=');
    const bool joined = argument.starts_with("--") && equals != std::string::npos;
    if (is_blank(argument) || (joined && is_blank(argument.substr(equals + 1)))) {
      const std::string name = joined            ? argument.substr(0, equals)
                               : !option.empty() ? option
                                                 : fmt::format("argument {}", i + 1);
      throw CLI::ValidationError(
          name, "expected a value, found an empty one; is a variable of the shell not set?");
    }
    if (argument.size() > 2 && argument[0] == '-' && argument[1] != '-' && argument[2] == '=') {
      throw CLI::ValidationError(argument.substr(0, 2),
                                 "expected a space before the value, found " + argument);
    }
    option = looks_like_option(argument) && !joined ? argument : "";
  }
}

void complete_options(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    complete(option);
  }
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const bool incomplete = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
                          dynamic_cast<const CLI::RequiresError*>(&error) != nullptr;
  // What is missing may be there, misspelt; the value of an unknown option is unknown, too.
  if (incomplete || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> unknown = app.remaining(true);
    const auto option = std::ranges::find_if(unknown, looks_like_option);
    if (option != unknown.end()) {
      return explain_unknown_option(app, *option);
    }
    if (app.get_subcommands().empty()) {
      return unknown.empty() ? "expected a command, found none; ltz help lists them"
                             : explain_unknown_command(app, unknown.front());
    }
    if (!unknown.empty() && !incomplete) {
      return fmt::format("unexpected argument {}", unknown.front());
    }
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return explain_count(used_command(app), error.what());
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return explain_conversion(error.what());
  }
  return error.what();
}

}  // namespace ltz::cli
