#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ltz::cli {

// Help with a line an option: its value as FILE or N, and behind its description what the value may
// be and what it is without the option.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
};

}  // namespace ltz::cli
