#include "formats/fairseq/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBranches = 64;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// "[3, 7, 15]", "(3, 7)" or "3,7" as a JSON array; null for anything else.
json parse_list(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && ((text.front() == '[' && text.back() == ']') ||
                           (text.front() == '(' && text.back() == ')'))) {
    text = trimmed(text.substr(1, text.size() - 2));
  }
  json list = json::array();
  for (const std::string_view field : split(text, ',')) {
    const std::optional<std::int64_t> number = parse_integer(trimmed(field));
    if (!number) {
      return nullptr;
    }
    list.push_back(*number);
  }
  return list;
}

// Also 1024.0: a calculation leaves it where Python takes it for the number that it is.
bool is_whole_number(const json& value) {
  return value.is_number_integer() ||
         (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
}

int to_integer(const std::string& name, const json& value, int highest) {
  if (!is_whole_number(value) || value < 0 || value > highest) {
    fail_setting(name, fmt::format("expected an integer of 0 to {}, found {}", highest,
                                   FairseqSettings::shown(value)));
  }
  return value.get<int>();
}

int parse_field(const std::string& setting, const std::string& branch, std::string_view field,
                int highest) {
  const std::optional<std::int64_t> number = parse_integer(field);
  if (!number || *number < 1 || *number > highest) {
    fail_setting(setting,
                 fmt::format("expected numbers of 1 to {} in type:kernel:channels:heads, found "
                             "\"{}\"",
                             highest, branch));
  }
  return static_cast<int>(*number);
}

BranchType parse_type(const std::string& setting, const std::string& text,
                      std::string_view first_field) {
  const bool anywhere = setting.starts_with("encoder");
  // In fairseq's order, which matters where several are in the text.
  for (const auto& [word, type] :
       {std::pair("lightweight", BranchType::kLightweight),
        std::pair("dynamic", BranchType::kDynamic), std::pair("attn", BranchType::kAttention)}) {
    if (anywhere ? text.find(word) != std::string::npos : first_field == word) {
      return type;
    }
  }
  fail_setting(setting, fmt::format("expected attn, lightweight or dynamic, found \"{}\"", text));
}

BranchConfig parse_branch(const std::string& setting, const std::string& text, bool glu) {
  const std::vector<std::string_view> fields = split(text, ':');
  if (fields.size() != 4) {
    fail_setting(setting, fmt::format("expected type:kernel:channels:heads, found \"{}\"", text));
  }
  BranchConfig branch;
  branch.type = parse_type(setting, text, fields[0]);
  branch.kernel_size = fields[1] == "default" ? 0 : parse_field(setting, text, fields[1], kMaxTaps);
  branch.channels = parse_field(setting, text, fields[2], kMaxWidth);
  branch.heads = parse_field(setting, text, fields[3], kMaxWidth);
  branch.glu = glu && branch.type == BranchType::kDynamic;
  return branch;
}

}  // namespace

void fail_setting(const std::string& setting, const std::string& reason) {
  throw ConfigError("setting " + setting + ": " + reason);
}

FairseqSettings::FairseqSettings(const json& args) : args_(args) {
  if (!args.is_object()) {
    throw ConfigError("args: expected settings by name, found " + shown(args));
  }
}

const json* FairseqSettings::find(const std::string& name) const {
  const auto found = args_.find(name);
  return found == args_.end() || found->is_null() ? nullptr : &*found;
}

const json* FairseqSettings::list(const std::string& name) const {
  const json* value = find(name);
  if (value != nullptr && !value->is_array()) {
    fail_setting(name, "expected a list, found " + shown(*value));
  }
  return value;
}

int FairseqSettings::integer(const std::string& name, int fallback, int highest) const {
  const json* value = find(name);
  return value == nullptr ? fallback : to_integer(name, *value, highest);
}

int FairseqSettings::positions(const std::string& name, int fallback) const {
  const json* value = find(name);
  const bool unlimited = value != nullptr && is_whole_number(*value) && *value > kMaxPositions;
  return unlimited ? kMaxPositions : integer(name, fallback, kMaxPositions);
}

double FairseqSettings::number(const std::string& name, double fallback) const {
  const json* value = find(name);
  if (value != nullptr && !value->is_number()) {
    fail_setting(name, "expected a number, found " + shown(*value));
  }
  return value == nullptr ? fallback : value->get<double>();
}

bool FairseqSettings::flag(const std::string& name, bool fallback) const {
  const json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  if (value->is_number() && (*value == 0 || *value == 1)) {
    return *value == 1;
  }
  if (!value->is_boolean()) {
    fail_setting(name, "expected True or False, found " + shown(*value));
  }
  return value->get<bool>();
}

std::string FairseqSettings::text(const std::string& name, const std::string& fallback) const {
  const json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_string()) {
    fail_setting(name, "expected a string, found " + shown(*value));
  }
  return value->get<std::string>();
}

std::vector<int> FairseqSettings::integers(const std::string& name, std::vector<int> fallback,
                                           int highest) const {
  const json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  const json list = value->is_string()   ? parse_list(value->get<std::string>())
                    : value->is_number() ? json::array({*value})
                                         : *value;
  if (!list.is_array()) {
    fail_setting(name, "expected a list of integers, found " + shown(*value));
  }
  std::vector<int> numbers;
  for (const json& number : list) {
    numbers.push_back(to_integer(name, number, highest));
  }
  return numbers;
}

std::string FairseqSettings::shown(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 80);
}

std::vector<BranchConfig> parse_branches(const FairseqSettings& settings, const std::string& stack,
                                         bool glu) {
  const std::string setting = stack + "_branch_type";
  std::vector<BranchConfig> branches;
  const json* list = settings.list(setting);
  if (list == nullptr) {
    return branches;
  }
  if (list->empty() || list->size() > kMaxBranches) {
    fail_setting(setting,
                 fmt::format("expected 1 to {} branches, found {}", kMaxBranches, list->size()));
  }
  for (const json& branch : *list) {
    if (!branch.is_string()) {
      fail_setting(setting, "expected strings, found " + FairseqSettings::shown(branch));
    }
    branches.push_back(parse_branch(setting, branch.get<std::string>(), glu));
  }
  return branches;
}

std::vector<int> parse_kernel_sizes(const FairseqSettings& settings, const std::string& stack,
                                    int layers, const KernelSizeRules& rules) {
  const std::string setting = stack + "_kernel_size_list";
  std::vector<int> sizes = settings.integers(setting, rules.fallback, kMaxTaps);
  const auto count = static_cast<std::size_t>(layers);
  const bool fits = sizes.size() == count || (rules.may_be_longer && sizes.size() > count);
  if (sizes.size() != 1 && !fits) {
    fail_setting(setting,
                 fmt::format("expected {} entries, one per layer, found {}", layers, sizes.size()));
  }
  sizes.resize(count, sizes.empty() ? 0 : sizes.front());
  return sizes;
}

}  // namespace ltz::formats
