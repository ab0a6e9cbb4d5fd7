#pragma once

#include <string>
#include <string_view>
#include <vector>

// What somebody may have meant who misspelt a command, an option or a value.
namespace ltz::cli {

// Characters to insert, remove, replace or swap with their neighbour, to turn one word into the
// other (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// "; did you mean WORD?" with the word that is nearest, or nothing where none is near: a third of
// the word may be wrong, or missing at its end.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace ltz::cli
