#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

// What values options take. Messages say what was expected and what was found; a validator's
// description is what help says of the value.
namespace ltz::cli {

// Numbers: from `least` to `most`, above `bound`, or at least `least`.
CLI::Validator between(double least, double most);
CLI::Validator above(double bound);
CLI::Validator at_least(double least);

// One of these words, which help shows as the value.
CLI::Option* choose(CLI::Option* option, const std::vector<std::string>& words);

// Turns 900KB (of 1000) or 1.5MiB (of 1024) into bytes; a fraction of a byte is left out.
CLI::Validator as_bytes();
// The same of one text. Throws CLI::ValidationError.
std::int64_t parse_bytes(const std::string& text);

// Throws CLI::ValidationError, naming the option, for a value out of this range.
struct Range {
  double least;
  double most;
};
void require_range(const std::string& option, const std::vector<double>& values,
                   const Range& range);

}  // namespace ltz::cli
