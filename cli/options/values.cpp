#include "cli/options/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "cli/options/suggest.h"

namespace ltz::cli {
namespace {

// Of a text that was found to be a number before.
double number_of(const std::string& text) {
  double value = std::numeric_limits<double>::quiet_NaN();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// holds(number): whether it is one of those that `description` says, which help shows.
template <typename Condition>
CLI::Validator number_validator(const std::string& description, const Condition& holds) {
  return CLI::Validator(
      [description, holds](const std::string& text) {
        return holds(number_of(text))
                   ? std::string()
                   : fmt::format("expected a number {}, found {}", description, text);
      },
      description);
}

// "a", "a or b", "one of a, b, c".
std::string listed(const std::vector<std::string>& words) {
  return words.size() > 2 ? fmt::format("one of {}", fmt::join(words, ", "))
                          : fmt::format("{}", fmt::join(words, " or "));
}

struct Unit {
  std::string_view name;
  double bytes;
};
// Capital and small letters are alike. No "K" or "M": programs do not agree on what they are.
constexpr std::array kUnits = {Unit{"", 1.0},       Unit{"b", 1.0},     Unit{"kb", 1e3},
                               Unit{"mb", 1e6},     Unit{"gb", 1e9},    Unit{"kib", 0x1p10},
                               Unit{"mib", 0x1p20}, Unit{"gib", 0x1p30}};

}  // namespace

CLI::Validator between(double least, double most) {
  return number_validator(fmt::format("from {} to {}", least, most),
                          [least, most](double value) { return least <= value && value <= most; });
}

CLI::Validator above(double bound) {
  return number_validator(fmt::format("above {}", bound),
                          [bound](double value) { return value > bound; });
}

CLI::Validator at_least(double least) {
  return number_validator(fmt::format("of at least {}", least),
                          [least](double value) { return value >= least; });
}

CLI::Option* choose(CLI::Option* option, const std::vector<std::string>& words) {
  const auto check = [words](const std::string& word) {
    return std::ranges::find(words, word) != words.end()
               ? std::string()
               : fmt::format("expected {}, found {}{}", listed(words), word,
                             did_you_mean(word, words));
  };
  return option->type_name(fmt::format("{}", fmt::join(words, "|")))->check(check);
}

std::int64_t parse_bytes(const std::string& text) {
  double amount = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, amount);
  std::string name(rest, end);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto unit = std::ranges::find(kUnits, name, &Unit::name);
  const bool whole = unit == kUnits.begin();
  const double bytes = unit == kUnits.end() ? -1.0 : amount * unit->bytes;
  if (error != std::errc() || !(bytes >= 0.0 && bytes <= 0x1p53) ||
      (whole && bytes != std::floor(bytes))) {
    throw CLI::ValidationError(fmt::format(
        "expected bytes, such as 900000, 900KB (of 1000) or 1.5MiB (of 1024), found {}", text));
  }
  return static_cast<std::int64_t>(bytes);
}

CLI::Validator as_bytes() {
  return CLI::Validator(
      [](std::string& text) {
        text = std::to_string(parse_bytes(text));
        return std::string();
      },
      "");
}

void require_range(const std::string& option, const std::vector<double>& values,
                   const Range& range) {
  for (const double value : values) {
    if (!(range.least <= value && value <= range.most)) {
      throw CLI::ValidationError(option, fmt::format("expected numbers from {} to {}, found {}",
                                                     range.least, range.most, value));
    }
  }
}

}  // namespace ltz::cli
