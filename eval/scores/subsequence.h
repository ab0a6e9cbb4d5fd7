#pragma once

#include <cstddef>
#include <vector>

#include "eval/scores/ngrams.h"

namespace ltz::eval {

// Length of the longest common subsequence. Memory: as many numbers as the shorter side has words.
std::size_t common_subsequence_length(const Words& a, const Words& b);

// Marks the words of `reference` that one longest common subsequence with `other` consists of.
// Where there is more than one it takes ROUGE-1.5.5's: from the end, it leaves out a word of
// `reference` rather than one of `other`. marks: (reference words), set where marked and left alone
// elsewhere. Memory: one bit for each pair of words.
void mark_common_subsequence(const Words& reference, const Words& other, std::vector<bool>& marks);

}  // namespace ltz::eval
