// Random lines full of white space of all kinds, segmented twice: by TextCodec, and by what fairseq
// and subword-nmt do, written down once more in the plainest way, on code points.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "formats/bytes/utf8.h"
#include "model/decoding/text_codec.h"

namespace ltz {
namespace {

using Text = std::u32string;
using Texts = std::vector<Text>;

constexpr int kLines = 12'000;

const Text kSpaces =
    U"\t\n\v\f\r\x1C\x1D\x1E\x1F \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    U"\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000";
// Letters of one to four bytes, and what only resembles white space.
const Text kLetters = U"aaaabbbcd@é€\u4E2D\U0001F600\u200B\uFEFF\u0301";

std::string utf8(const Text& text) {
  std::string out;
  for (const char32_t c : text) {
    formats::append_utf8(out, c);
  }
  return out;
}

bool is_space(char32_t c) {
  return kSpaces.find(c) != Text::npos;
}

Text stripped(Text text) {
  while (!text.empty() && is_space(text.front())) {
    text.erase(text.begin());
  }
  while (!text.empty() && is_space(text.back())) {
    text.pop_back();
  }
  return text;
}

template <typename Separates>
Texts split(const Text& text, Separates separates) {
  Texts words(1);
  for (const char32_t c : text) {
    if (separates(c)) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, Text());
  return words;
}

using Merges = std::vector<std::pair<Text, Text>>;

Texts encode_word(const Text& word, const Merges& merges) {
  Texts symbols;
  for (const char32_t c : word) {
    symbols.emplace_back(1, c);
  }
  symbols.back() += U"</w>";
  while (symbols.size() > 1) {
    std::size_t best = merges.size();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = std::ranges::find(merges, std::pair(symbols[i], symbols[i + 1]));
      best = std::min(best, static_cast<std::size_t>(found - merges.begin()));
    }
    if (best == merges.size()) {
      break;
    }
    Texts merged;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      if (i + 1 < symbols.size() && std::pair(symbols[i], symbols[i + 1]) == merges[best]) {
        merged.push_back(symbols[i] + symbols[i + 1]);
        ++i;
      } else {
        merged.push_back(symbols[i]);
      }
    }
    symbols = merged;
  }
  symbols.back().resize(symbols.back().size() - 4);
  return symbols;
}

Texts encode_line(const Text& line, const Merges& merges) {
  if (merges.empty()) {
    return split(line, is_space);
  }
  Text segmented;
  for (const Text& word : split(stripped(line), [](char32_t c) { return c == U' '; })) {
    const Texts symbols = encode_word(word, merges);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      segmented += symbols[i] + (i + 1 < symbols.size() ? U"@@ " : U" ");
    }
  }
  return split(segmented, is_space);
}

class Generator {
 public:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  Text line() {
    Text text;
    for (std::size_t length = below(40); text.size() < length;) {
      const std::size_t kind = below(10);
      text += kind < 2   ? U' '
              : kind < 3 ? kSpaces[below(kSpaces.size())]
                         : kLetters[below(kLetters.size())];
    }
    return text;
  }

  // Of letters and of what earlier merges made; sometimes of white space, or the same again.
  Merges merges(std::size_t count) {
    Merges merges;
    Texts symbols;
    for (const char32_t c : kLetters + U"\u00A0\t") {
      symbols.emplace_back(1, c);
    }
    while (merges.size() < count) {
      const Text left = symbols[below(symbols.size())];
      const Text right = symbols[below(symbols.size())];
      const bool ends = below(4) == 0;
      merges.emplace_back(left, ends ? right + U"</w>" : right);
      if (!ends) {
        symbols.insert(symbols.end(), 2, left + right);
      }
    }
    return merges;
  }

 private:
  std::mt19937 random_{24};
};

}  // namespace

TEST_CASE("12,000 random lines have the tokens and ids of a plain implementation") {
  Generator random;
  for (const std::size_t count : {0, 5, 60}) {
    const Merges merges = random.merges(count);
    Checkpoint checkpoint;
    for (const auto& [left, right] : merges) {
      checkpoint.merges.emplace_back(utf8(left), utf8(right));
    }
    std::vector<std::pair<Text, Texts>> lines;
    std::vector<std::string> words;
    std::map<Text, int> ids;
    for (int i = 0; i < kLines / 3; ++i) {
      const Text line = random.line();
      lines.emplace_back(line, encode_line(line, merges));
      for (const Text& token : lines.back().second) {
        // Every third word is not in the dictionary.
        if (ids.try_emplace(token, ids.size() % 3 == 0 ? Vocabulary::kUnk : -1).first->second ==
            -1) {
          ids[token] = Vocabulary::kSpecials + static_cast<int>(words.size());
          words.push_back(utf8(token));
        }
      }
    }
    checkpoint.source_vocabulary = Vocabulary(words);
    checkpoint.target_vocabulary = Vocabulary(words);
    const TextCodec codec(checkpoint);
    const BpeEncoder encoder(checkpoint.merges);
    int different = 0;
    std::size_t tokens = 0;
    for (const auto& [line, expected] : lines) {
      std::vector<std::string> expected_tokens;
      TokenIds expected_ids;
      for (const Text& token : expected) {
        expected_tokens.push_back(utf8(token));
        expected_ids.push_back(ids.at(token));
      }
      expected_ids.push_back(Vocabulary::kEos);
      tokens += expected.size();
      different += encoder.encode_line(utf8(line)) != expected_tokens ||
                   codec.encode_source(utf8(line)) != expected_ids ||
                   codec.encode_target(utf8(line)) != expected_ids;
    }
    CAPTURE(count);
    CHECK(different == 0);
    CHECK(tokens > 10'000);
  }
}

}  // namespace ltz
