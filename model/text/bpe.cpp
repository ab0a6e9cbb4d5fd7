#include "model/text/bpe.h"

#include <algorithm>
#include <limits>

namespace ltz {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::string_view kWordEnd = "</w>";
constexpr std::string_view kJoiner = "@@";

// The code points of a word in UTF-8; a byte that starts none stands for itself.
std::vector<std::string> characters(std::string_view word) {
  std::vector<std::string> out;
  for (const char c : word) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (continues && !out.empty()) {
      out.back() += c;
    } else {
      out.emplace_back(1, c);
    }
  }
  return out;
}

std::string pair_key(std::string_view left, std::string_view right) {
  std::string key;
  key.reserve(left.size() + right.size() + 1);
  return key.append(left).append(1, ' ').append(right);
}

// Replaces every occurrence of the pair (left, right), from the left, by one symbol.
void merge(std::vector<std::string>& symbols, const std::string& left, const std::string& right) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i, ++kept) {
    if (i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right) {
      symbols[kept] = left + right;
      ++i;
    } else if (kept != i) {
      symbols[kept] = std::move(symbols[i]);
    }
  }
  symbols.resize(kept);
}

}  // namespace

BpeEncoder::BpeEncoder(const BpeMerges& merges) {
  ranks_.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    // The first of two equal merges counts, as in subword-nmt.
    ranks_.emplace(pair_key(left, right), static_cast<std::uint32_t>(ranks_.size()));
  }
}

void BpeEncoder::encode(std::string_view word, std::vector<std::string>& out) const {
  if (ranks_.empty()) {
    out.emplace_back(word);
    return;
  }
  std::vector<std::string> symbols = characters(word);
  symbols.back() += kWordEnd;
  while (symbols.size() > 1) {
    std::uint32_t best_rank = std::numeric_limits<std::uint32_t>::max();
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = ranks_.find(pair_key(symbols[i], symbols[i + 1]));
      if (found != ranks_.end() && found->second < best_rank) {
        best_rank = found->second;
        best = i;
      }
    }
    if (best_rank == std::numeric_limits<std::uint32_t>::max()) {
      break;
    }
    const std::string left = symbols[best];
    const std::string right = symbols[best + 1];
    merge(symbols, left, right);
  }
  symbols.back().resize(symbols.back().size() - kWordEnd.size());
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (i + 1 < symbols.size()) {
      symbols[i] += kJoiner;
    }
    out.push_back(std::move(symbols[i]));
  }
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t start = line.find_first_not_of(kSpace);
  while (start != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(kSpace, start), line.size());
    words.push_back(line.substr(start, end - start));
    start = line.find_first_not_of(kSpace, end);
  }
  return words;
}

std::string remove_bpe(const std::vector<std::string_view>& subwords) {
  std::string line;
  for (std::size_t i = 0; i < subwords.size(); ++i) {
    const std::string_view subword = subwords[i];
    const bool joins = subword.ends_with(kJoiner);
    line += joins ? subword.substr(0, subword.size() - kJoiner.size()) : subword;
    if (!joins && i + 1 < subwords.size()) {
      line += ' ';
    }
  }
  return line;
}

}  // namespace ltz
