#include "model/text/sentence_piece_model.h"

#include <bit>
#include <functional>
#include <unordered_set>

#include "model/base/error.h"

namespace ltz {
namespace {

[[noreturn]] void fail(const std::string& reason) {
  throw FormatError("SentencePiece model: " + reason);
}

// One message of protocol buffers: numbered fields, each a number or a piece of bytes.
class Message {
 public:
  struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // of a varint or a fixed number
    std::string_view bytes;   // of a string, bytes or message
  };

  explicit Message(std::string_view bytes) : rest_(bytes) {}

  bool next(Field& field) {
    if (rest_.empty()) {
      return false;
    }
    const std::uint64_t key = varint();
    field = {.number = key >> 3, .value = 0, .bytes = {}};
    switch (key & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        field.value = fixed(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        field.value = fixed(4);
        break;
      default:
        fail("unknown kind of field " + std::to_string(key & 7));
    }
    return true;
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      fail("truncated: expected " + std::to_string(size) + " bytes, found " +
           std::to_string(rest_.size()));
    }
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::uint64_t fixed(std::size_t size) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char byte : take(size)) {
      value |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
      shift += 8;
    }
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    fail("malformed number");
  }

  std::string_view rest_;
};

void for_each_field(std::string_view bytes, const std::function<void(const Message::Field&)>& use) {
  Message message(bytes);
  for (Message::Field field; message.next(field);) {
    use(field);
  }
}

SentencePieceModel::Piece read_piece(std::string_view bytes) {
  SentencePieceModel::Piece piece;
  for_each_field(bytes, [&](const Message::Field& field) {
    if (field.number == 1) {
      piece.text = field.bytes;
    } else if (field.number == 2) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    } else if (field.number == 3) {
      if (field.value < 1 || field.value > 6) {
        fail("unknown type of piece " + std::to_string(field.value));
      }
      piece.type = static_cast<SentencePieceModel::Type>(field.value);
    }
  });
  return piece;
}

void read_trainer(std::string_view bytes, SentencePieceModel& model) {
  for_each_field(bytes, [&](const Message::Field& field) {
    if (field.number == 3) {
      if (field.value != 1 && field.value != 2) {
        fail("expected one of unigrams or BPE, found type " + std::to_string(field.value));
      }
      model.algorithm = field.value == 1 ? SentencePieceModel::Algorithm::kUnigram
                                         : SentencePieceModel::Algorithm::kBpe;
    } else if (field.number == 24) {
      model.space_behind_words = field.value != 0;
    } else if (field.number == 35) {
      model.byte_fallback = field.value != 0;
    }
  });
}

// The size of the trie in bytes, the trie, then the replacements.
void read_rules(std::string_view bytes, SentencePieceModel& model) {
  constexpr std::size_t kUnit = sizeof(std::uint32_t);
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < kUnit; ++i) {
      value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    }
    return value;
  };
  if (bytes.empty()) {
    return;
  }
  if (bytes.size() < kUnit || number(0) > bytes.size() - kUnit || number(0) % kUnit != 0) {
    fail("the rules of normalisation are broken");
  }
  const std::size_t end = kUnit + number(0);
  model.trie.clear();
  for (std::size_t at = kUnit; at < end; at += kUnit) {
    model.trie.push_back(number(at));
  }
  model.replacements = bytes.substr(end);
}

void read_normalizer(std::string_view bytes, SentencePieceModel& model) {
  for_each_field(bytes, [&](const Message::Field& field) {
    const bool yes = field.value != 0;
    switch (field.number) {
      case 2:
        read_rules(field.bytes, model);
        break;
      case 3:
        model.add_space = yes;
        break;
      case 4:
        model.remove_extra_spaces = yes;
        break;
      case 5:
        model.escape_spaces = yes;
        break;
      default:
        break;
    }
  });
}

void check_pieces(const SentencePieceModel& model) {
  std::unordered_set<std::string_view> seen;
  bool unknown = false;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.text.empty() || !seen.insert(piece.text).second) {
      fail("expected pieces that differ, found \"" + piece.text + "\" again");
    }
    unknown |= piece.type == SentencePieceModel::Type::kUnknown;
  }
  if (!unknown) {
    fail("expected a piece for what is unknown, found none");
  }
}

}  // namespace

SentencePieceModel parse_sentence_piece_model(std::string_view bytes) {
  SentencePieceModel model;
  for_each_field(bytes, [&](const Message::Field& field) {
    if (field.number == 1) {
      model.pieces.push_back(read_piece(field.bytes));
    } else if (field.number == 2) {
      read_trainer(field.bytes, model);
    } else if (field.number == 3) {
      read_normalizer(field.bytes, model);
    }
  });
  check_pieces(model);
  return model;
}

}  // namespace ltz
