#include "cli/options/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ltz::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // rows[i % 3][j]: between the first i characters of a and the first j of b.
  std::vector<std::vector<std::size_t>> rows(3, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    std::vector<std::size_t>& row = rows[i % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      if (i == 0) {
        row[j] = j;
        continue;
      }
      const std::vector<std::size_t>& above = rows[(i - 1) % 3];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3);
  for (const std::string& candidate : words) {
    const bool shortened = word.size() >= 3 && candidate.starts_with(word);
    const std::size_t distance = shortened ? 1 : edit_distance(word, candidate);
    if (distance < least || (distance == least && nearest.empty())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

}  // namespace ltz::cli
