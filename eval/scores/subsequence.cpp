#include "eval/scores/subsequence.h"

#include <algorithm>
#include <cstdint>

namespace ltz::eval {
namespace {

// One row of the table of lengths: lengths[j] is of the rows so far and the first j words of b.
class LengthRow {
 public:
  explicit LengthRow(const Words& b) : b_(b), lengths_(b.size() + 1) {}

  // visit(j, above, left): of cell j, the lengths beside it, in the row above and to the left.
  template <class Visit>
  void add(std::string_view word, const Visit& visit) {
    std::uint32_t diagonal = 0;
    for (std::size_t j = 1; j < lengths_.size(); ++j) {
      const std::uint32_t above = lengths_[j];
      visit(j, above, lengths_[j - 1]);
      lengths_[j] = word == b_[j - 1] ? diagonal + 1 : std::max(above, lengths_[j - 1]);
      diagonal = above;
    }
  }

  std::size_t last() const { return lengths_.back(); }

 private:
  const Words& b_;
  std::vector<std::uint32_t> lengths_;
};

}  // namespace

std::size_t common_subsequence_length(const Words& a, const Words& b) {
  const Words& shorter = a.size() < b.size() ? a : b;
  const Words& longer = a.size() < b.size() ? b : a;
  LengthRow row(shorter);
  for (const std::string_view word : longer) {
    row.add(word, [](std::size_t, std::uint32_t, std::uint32_t) {});
  }
  return row.last();
}

void mark_common_subsequence(const Words& reference, const Words& other, std::vector<bool>& marks) {
  const std::size_t columns = other.size();
  // Whether backtracking from a cell of two different words goes to the left.
  std::vector<bool> goes_left(reference.size() * columns);
  LengthRow row(other);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    row.add(reference[i], [&](std::size_t j, std::uint32_t above, std::uint32_t left) {
      goes_left[i * columns + j - 1] = left > above;
    });
  }
  std::size_t i = reference.size();
  std::size_t j = columns;
  while (i > 0 && j > 0) {
    if (reference[i - 1] == other[j - 1]) {
      marks[--i] = true;
      --j;
    } else if (goes_left[(i - 1) * columns + j - 1]) {
      --j;
    } else {
      --i;
    }
  }
}

}  // namespace ltz::eval
