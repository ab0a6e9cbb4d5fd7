#include "model/text/sentence_pieces.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <queue>
#include <unordered_map>
#include <utility>

#include "model/text/white_space.h"

namespace ltz {
namespace {

using Type = SentencePieceModel::Type;

constexpr std::size_t kNone = SentencePieceIndex::kNone;
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";
constexpr float kUnknownPenalty = 10.0f;
// Of any length; the scores of others are logarithms of probabilities.
constexpr double kUserDefinedScore = -0.1;

std::string byte_piece(char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "<0x%02X>", static_cast<unsigned char>(byte));
  return text.data();
}

// Merges the pair of neighbours whose piece has the highest score, of several the first, until no
// pair is a piece.
class PairMerger {
 public:
  PairMerger(const SentencePieceModel& model, const SentencePieceIndex& index)
      : pieces_(model.pieces), index_(index) {}

  // What the text goes on with. whole: it is merged with nothing.
  void add(std::string_view text, bool whole) {
    symbols_.push_back(
        {.text = text, .before = symbols_.size() - 1, .next = symbols_.size() + 1, .whole = whole});
  }

  std::vector<std::string_view> merge() {
    for (std::size_t i = 1; i < symbols_.size(); ++i) {
      look_at(i - 1, i);
    }
    while (!pairs_.empty()) {
      const Pair best = pairs_.top();
      pairs_.pop();
      if (is_there(best)) {
        join(best);
      }
    }
    std::vector<std::string_view> parts;
    for (std::size_t i = 0; i < symbols_.size(); i = symbols_[i].next) {
      take_apart(symbols_[i].text, parts);
    }
    return parts;
  }

 private:
  struct Symbol {
    std::string_view text;  // empty: it has become part of the one before
    std::size_t before;     // of the first symbol and behind the last: no symbol
    std::size_t next;
    bool whole;
  };

  struct Pair {
    float score;
    std::size_t left;
    std::size_t right;
    std::size_t size;  // in bytes
    bool operator<(const Pair& other) const {
      return score < other.score || (score == other.score && left > other.left);
    }
  };

  void look_at(std::size_t left, std::size_t right) {
    if (left >= symbols_.size() || right >= symbols_.size() || symbols_[left].whole ||
        symbols_[right].whole) {
      return;
    }
    const std::string_view first = symbols_[left].text;
    const std::string_view second = symbols_[right].text;
    const std::string_view both(first.data(), first.size() + second.size());
    const std::size_t place = index_.find(both);
    if (place == kNone) {
      return;
    }
    pairs_.push({pieces_[place].score, left, right, both.size()});
    if (pieces_[place].type == Type::kUnused) {
      halves_.insert_or_assign(both, std::pair(first, second));
    }
  }

  // Neither of the two has been merged with another since the pair was looked at.
  bool is_there(const Pair& pair) const {
    const std::string_view left = symbols_[pair.left].text;
    const std::string_view right = symbols_[pair.right].text;
    return !left.empty() && !right.empty() && left.size() + right.size() == pair.size;
  }

  void join(const Pair& pair) {
    Symbol& left = symbols_[pair.left];
    Symbol& right = symbols_[pair.right];
    left.text = {left.text.data(), pair.size};
    left.next = right.next;
    if (right.next < symbols_.size()) {
      symbols_[right.next].before = pair.left;
    }
    right.text = {};
    look_at(left.before, pair.left);
    look_at(pair.left, left.next);
  }

  // Adds the text to the parts; a piece that is not used, as what it was merged of.
  void take_apart(std::string_view text, std::vector<std::string_view>& parts) const {
    std::vector<std::string_view> open = {text};
    while (!open.empty()) {
      const std::string_view part = open.back();
      open.pop_back();
      const auto halves = halves_.find(part);
      if (halves == halves_.end()) {
        parts.push_back(part);
      } else {
        open.push_back(halves->second.second);
        open.push_back(halves->second.first);
      }
    }
  }

  const std::vector<SentencePieceModel::Piece>& pieces_;
  const SentencePieceIndex& index_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Pair> pairs_;
  // What unused pieces were merged of.
  std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>> halves_;
};

}  // namespace

SentencePieceEncoder::SentencePieceEncoder(SentencePieceModel model)
    : model_(std::move(model)),
      normalizer_(model_),
      index_(model_.pieces, {Type::kNormal, Type::kUserDefined, Type::kUnused}) {
  bool first = true;
  for (std::size_t i = 0; i < model_.pieces.size(); ++i) {
    const auto& [text, score, type] = model_.pieces[i];
    if (type == Type::kUnknown) {
      unknown_ = i;
    } else if (type == Type::kNormal) {
      lowest_score_ = first ? score : std::min(lowest_score_, score);
      first = false;
    }
  }
}

// Viterbi over the pieces (Kudo 2018). Sums are rounded to float when they are stored, and compared
// before that, as the library does it: so equal scores are found equal where it finds them so.
std::vector<SentencePieceEncoder::Part> SentencePieceEncoder::best_path(
    std::string_view text) const {
  struct Node {
    float score = 0.0f;
    std::size_t start = kNone;  // of the piece that ends here on the best path
    std::size_t piece = 0;
  };
  std::vector<Node> ends(text.size() + 1);
  const auto offer = [&](Part part, double score) {
    const auto start = static_cast<std::size_t>(part.first.data() - text.data());
    Node& node = ends[start + part.first.size()];
    if (node.start == kNone || score > static_cast<double>(node.score)) {
      node = {.score = static_cast<float>(score), .start = start, .piece = part.second};
    }
  };
  std::size_t step = 0;
  for (std::size_t start = 0; start < text.size(); start += step) {
    step = character_length(text.substr(start));
    const float before = ends[start].score;
    bool known = false;
    index_.for_each_beginning(text.substr(start), [&](std::size_t length, std::size_t place) {
      const SentencePieceModel::Piece& piece = model_.pieces[place];
      if (piece.type != Type::kUnused) {
        const bool user_defined = piece.type == Type::kUserDefined;
        offer({text.substr(start, length), place},
              before + (user_defined ? kUserDefinedScore : double{piece.score}));
        known |= length == step;
      }
    });
    if (!known) {
      offer({text.substr(start, step), unknown_}, before + (lowest_score_ - kUnknownPenalty));
    }
  }
  std::vector<Part> parts;
  for (std::size_t end = text.size(); end > 0; end = ends[end].start) {
    parts.emplace_back(text.substr(ends[end].start, end - ends[end].start), ends[end].piece);
  }
  std::ranges::reverse(parts);
  return parts;
}

std::vector<SentencePieceEncoder::Part> SentencePieceEncoder::merged(std::string_view text) const {
  PairMerger merger(model_, index_);
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const std::size_t defined = normalizer_.user_defined_length(rest);
    const std::size_t length = defined != 0 ? defined : character_length(rest);
    merger.add(text.substr(at, length), defined != 0);
    at += length;
  }
  std::vector<Part> parts;
  for (const std::string_view part : merger.merge()) {
    const std::size_t piece = index_.find(part);
    parts.emplace_back(part, piece == kNone ? unknown_ : piece);
  }
  return parts;
}

std::vector<std::string> SentencePieceEncoder::encode(std::string_view text) const {
  const std::string normalized = normalizer_.normalize(text);
  const std::vector<Part> parts = model_.algorithm == SentencePieceModel::Algorithm::kUnigram
                                      ? best_path(normalized)
                                      : merged(normalized);
  std::vector<std::string> pieces;
  bool after_unknown = false;
  for (const auto& [part, piece] : parts) {
    const bool unknown = piece == unknown_;
    if (unknown && model_.byte_fallback) {
      for (const char byte : part) {
        pieces.push_back(byte_piece(byte));
      }
    } else if (unknown && after_unknown) {
      pieces.back() += part;
    } else {
      pieces.emplace_back(part);
    }
    after_unknown = unknown;
  }
  return pieces;
}

std::vector<std::string> SentencePieceEncoder::encode_line(std::string_view line) const {
  std::vector<std::string> tokens;
  for (const std::string& piece : encode(strip(line))) {
    for (const std::string_view token : unicode_words(piece)) {
      tokens.emplace_back(token);
    }
  }
  return tokens;
}

std::string join_sentence_pieces(const std::vector<std::string_view>& pieces) {
  std::string text;
  for (const std::string_view piece : pieces) {
    for (std::size_t i = 0; i < piece.size();) {
      const bool mark = piece.substr(i).starts_with(kSpaceMark);
      if (mark) {
        text += ' ';
      } else if (piece[i] != ' ') {
        text += piece[i];
      }
      i += mark ? kSpaceMark.size() : 1;
    }
  }
  return std::string(strip(text));
}

}  // namespace ltz
