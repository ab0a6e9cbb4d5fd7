#include "model/text/bpe.h"

#include <algorithm>
#include <queue>

namespace ltz {
namespace {

constexpr std::string_view kWordEnd = "</w>";
constexpr std::string_view kJoiner = "@@";

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

// Where the characters of a word begin, and then its end: code points in UTF-8; a byte that starts
// none stands for itself.
std::vector<std::size_t> character_starts(std::string_view word) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(word[i]) & 0xC0) == 0x80;
    if (!continues || starts.empty()) {
      starts.push_back(i);
    }
  }
  starts.push_back(word.size());
  return starts;
}

}  // namespace

// The symbols that a word consists of, while they are merged: a list of pieces that have an index
// each, the one of their first character.
class BpeEncoder::Word {
 public:
  Word(const BpeEncoder& encoder, std::string_view word)
      : encoder_(encoder), starts_(character_starts(word)) {
    const std::size_t count = starts_.size() - 1;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view character = word.substr(starts_[i], starts_[i + 1] - starts_[i]);
      const bool last = i + 1 == count;
      symbols_.push_back(
          encoder.symbol(last ? std::string(character).append(kWordEnd) : std::string(character)));
      next_.push_back(i + 1);
      before_.push_back(i - 1);  // of the first one: never looked at
    }
  }

  // Merges the best pair at all of its places, from the left, until there is none. What such a
  // merge makes waits until then, though it may be a better pair, as in subword-nmt.
  void merge() {
    for (std::size_t i = 0; i + 1 < next_.size(); ++i) {
      look_at(i);
    }
    std::vector<std::size_t> merged;
    while (!found_.empty()) {
      const std::uint32_t rank = found_.top().first;
      merged.clear();
      for (; !found_.empty() && found_.top().first == rank; found_.pop()) {
        const std::size_t left = found_.top().second;
        const Merge* merge = merge_at(left);
        if (merge != nullptr && merge->rank == rank) {
          join(left, merge->result);
          merged.push_back(left);
        }
      }
      for (const std::size_t i : merged) {
        look_at(i);
        if (i > 0) {
          look_at(before_[i]);
        }
      }
    }
  }

  // Ends of the pieces in the word, in bytes.
  std::vector<std::size_t> ends() const {
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < next_.size(); i = next_[i]) {
      ends.push_back(starts_[next_[i]]);
    }
    return ends;
  }

 private:
  static constexpr Symbol kGone = -2;  // became part of the piece before it

  const Merge* merge_at(std::size_t left) const {
    const std::size_t right = next_[left];
    return symbols_[left] == kGone || right == next_.size()
               ? nullptr
               : encoder_.find(symbols_[left], symbols_[right]);
  }

  void look_at(std::size_t left) {
    if (const Merge* merge = merge_at(left)) {
      found_.emplace(merge->rank, left);
    }
  }

  void join(std::size_t left, Symbol result) {
    const std::size_t right = next_[left];
    symbols_[left] = result;
    symbols_[right] = kGone;
    next_[left] = next_[right];
    if (next_[left] < next_.size()) {
      before_[next_[left]] = left;
    }
  }

  using Place = std::pair<std::uint32_t, std::size_t>;  // rank, left piece

  const BpeEncoder& encoder_;
  std::vector<std::size_t> starts_;
  std::vector<Symbol> symbols_;
  std::vector<std::size_t> next_;
  std::vector<std::size_t> before_;
  std::priority_queue<Place, std::vector<Place>, std::greater<>> found_;
};

BpeEncoder::BpeEncoder(const BpeMerges& merges) {
  merges_.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    // The first of two equal merges counts, as in subword-nmt.
    const auto rank = static_cast<std::uint32_t>(merges_.size());
    merges_.emplace(pair_key(intern(left), intern(right)), Merge{rank, intern(left + right)});
  }
}

BpeEncoder::Symbol BpeEncoder::intern(std::string_view text) {
  return symbols_.try_emplace(std::string(text), static_cast<Symbol>(symbols_.size()))
      .first->second;
}

BpeEncoder::Symbol BpeEncoder::symbol(std::string_view text) const {
  const auto found = symbols_.find(text);
  return found == symbols_.end() ? -1 : found->second;
}

const BpeEncoder::Merge* BpeEncoder::find(Symbol left, Symbol right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BpeEncoder::encode(std::string_view word, std::vector<std::string>& out) const {
  if (merges_.empty()) {
    out.emplace_back(word);
    return;
  }
  Word pieces(*this, word);
  pieces.merge();
  std::size_t start = 0;
  for (const std::size_t end : pieces.ends()) {
    out.emplace_back(word.substr(start, end - start));
    if (end < word.size()) {
      out.back() += kJoiner;
    }
    start = end;
  }
}

std::vector<std::string> BpeEncoder::encode_line(std::string_view line) const {
  std::vector<std::string> tokens;
  if (merges_.empty()) {
    const auto words = unicode_words(line);
    tokens.assign(words.begin(), words.end());
    return tokens;
  }
  std::string_view rest = strip(line);
  std::vector<std::string> subwords;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) {
      encode(rest.substr(0, end), subwords);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string& subword : subwords) {
    for (const std::string_view token : unicode_words(subword)) {
      tokens.emplace_back(token);
    }
  }
  return tokens;
}

std::string remove_bpe(const std::vector<std::string_view>& subwords) {
  constexpr std::string_view kMark = "@@ ";
  std::string line;
  for (const std::string_view subword : subwords) {
    line.append(subword).append(1, ' ');
  }
  std::string joined;
  for (std::size_t start = 0; start < line.size();) {
    const std::size_t end = std::min(line.find(kMark, start), line.size());
    joined.append(line, start, end - start);
    start = std::min(end + kMark.size(), line.size());
  }
  joined.resize(strip_end(joined).size());
  return joined;
}

}  // namespace ltz
