#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz::formats {

// "left right" of each merge. Throws FormatError for a symbol that is empty or has a space or a
// line end.
std::vector<std::string> merge_lines(const BpeMerges& merges);
BpeMerges merges_from_lines(std::span<const std::string> lines);

// One line each, all of them ended by "\n". lines: without line ends.
std::string join_lines(std::span<const std::string> lines);
std::vector<std::string> split_lines(std::string_view text);

// The words of split_lines. entries: what the configuration says, special tokens included. Throws
// before there is a string for every line: ConfigError for another number of them, FormatError when
// more than 1000 of them repeat an earlier one.
Vocabulary vocabulary_from_lines(std::string_view text, int entries);

}  // namespace ltz::formats
