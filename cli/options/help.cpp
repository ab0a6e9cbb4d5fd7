#include "cli/options/help.h"

#include <fmt/format.h>

#include <vector>

namespace ltz::cli {
namespace {

// "N:from 1 to 8" as CLI11 has it: the value, and what its validators say of it.
struct ValueName {
  std::string name;
  std::string limits;
};

ValueName value_name(const CLI::Option* option) {
  const std::string full = option->get_type_name();
  const std::size_t colon = full.find(':');
  return {full.substr(0, colon), colon == std::string::npos ? "" : full.substr(colon + 1)};
}

std::string names_of(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) {
    names.push_back(option->get_name());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional) {
    return make_option_usage(option);
  }
  std::string name = option->get_name(false, true);
  // "--json{-}": what a flag stands for without a value.
  if (const std::size_t brace = name.find('{'); brace != std::string::npos) {
    name.erase(brace, name.find('}') + 1 - brace);
  }
  return name;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_type_size() == 0) {
    return "";
  }
  const std::string text = option->get_option_text();
  const std::string value = text.empty() ? value_name(option).name : text;
  return (value.starts_with("[=") ? "" : " ") + value;
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::vector<std::string> facts;
  if (const std::string limits = value_name(option).limits; !limits.empty()) {
    facts.push_back(limits);
  }
  if (option->get_required() && !option->get_positional()) {
    facts.emplace_back("required");
  }
  if (const std::string otherwise = option->get_default_str();
      !otherwise.empty() && option->get_type_size() != 0 && option->get_expected_min() > 0) {
    facts.push_back("default: " + otherwise);
  }
  if (!option->get_needs().empty()) {
    facts.push_back("needs " + names_of(option->get_needs()));
  }
  if (!option->get_excludes().empty()) {
    facts.push_back("not with " + names_of(option->get_excludes()));
  }
  const std::string& description = option->get_description();
  return facts.empty() ? description : fmt::format("{} ({})", description, fmt::join(facts, "; "));
}

std::string HelpFormatter::make_option_usage(const CLI::Option* option) const {
  const std::string text = option->get_option_text();
  return text.empty() ? option->get_name(true, false) : text;
}

}  // namespace ltz::cli
