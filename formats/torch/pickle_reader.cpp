#include "formats/torch/pickle_reader.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "formats/torch/pickle_text.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// A checkpoint of a thousand tensors with optimizer state has about 100,000 values.
constexpr std::size_t kMaxValues = std::size_t{1} << 23;
constexpr std::uint64_t kHighestProtocol = 5;

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes) {
  return PickleReader(bytes).read();
}

Pickle PickleReader::read() {
  make(PickleType::kNone, 0);
  make(PickleType::kBool, 0);
  make(PickleType::kBool, 1);
  while (!stopped_) {
    opcode_position_ = position_;
    const Opcode* opcode = find_opcode(static_cast<std::uint8_t>(take_unsigned(1)));
    if (opcode == nullptr) {
      fail("unknown opcode");
    }
    opcode->run(*this);
  }
  if (stack_.size() != 1 || !marks_.empty()) {
    fail(fmt::format("expected one value on the stack, found {} and {} marks", stack_.size(),
                     marks_.size()));
  }
  pickle_.root_ = stack_.back();
  pickle_.consumed_ = position_;
  return std::move(pickle_);
}

void PickleReader::fail(const std::string& what) const {
  std::string name = "none";
  if (opcode_position_ < bytes_.size()) {
    const auto byte = std::to_integer<std::uint8_t>(bytes_[opcode_position_]);
    const Opcode* opcode = find_opcode(byte);
    name = opcode == nullptr ? fmt::format("0x{:02x}", byte) : std::string(opcode->name);
  }
  throw FormatError(fmt::format("pickle, byte {}, opcode {}: {}", opcode_position_, name, what));
}

void PickleReader::protocol() {
  if (const std::uint64_t found = take_unsigned(1); found > kHighestProtocol) {
    fail(fmt::format("expected protocol 0 to {}, found {}", kHighestProtocol, found));
  }
}

// A hint for buffered reading.
void PickleReader::frame() {
  if (const std::uint64_t length = take_unsigned(8); length > bytes_.size() - position_) {
    fail(fmt::format("a frame of {} bytes, but {} bytes are left", length,
                     bytes_.size() - position_));
  }
}

void PickleReader::binary_integer() {
  const std::int64_t value = static_cast<std::int32_t>(take_unsigned(4));
  push(make(PickleType::kInteger, static_cast<std::uint64_t>(value)));
}

void PickleReader::integer_line() {
  const std::string_view line = take_line();
  if (line == "00" || line == "01") {
    push(line == "01" ? kTrue : kFalse);
  } else {
    push(make_integer(line, decoded(decode_decimal(line), "an integer of 64 bits")));
  }
}

void PickleReader::long_line() {
  std::string_view line = take_line();
  if (line.ends_with('L')) {
    line.remove_suffix(1);
  }
  push(make_integer(line, decoded(decode_decimal(line), "an integer of 64 bits")));
}

void PickleReader::long_bytes(int width) {
  const std::string_view digits = take(take_unsigned(width));
  push(make_integer(digits, decode_long(digits)));
}

void PickleReader::float_line() {
  push(make(PickleType::kDouble,
            std::bit_cast<std::uint64_t>(decoded(decode_float(take_line()), "a float"))));
}

// The one big-endian number of the format.
void PickleReader::float_bytes() {
  std::uint64_t bits = 0;
  for (const char byte : take(8)) {
    bits = bits << 8 | static_cast<std::uint8_t>(byte);
  }
  push(make(PickleType::kDouble, bits));
}

void PickleReader::counted_text(PickleType type, int width) {
  push(make_text(type, take(take_unsigned(width))));
}

void PickleReader::quoted_line() {
  push(make_text(PickleType::kString,
                 decoded(decode_quoted_string(take_line()), "a quoted string")));
}

void PickleReader::unicode_line() {
  push(make_text(PickleType::kString,
                 decoded(decode_raw_unicode(take_line()), "raw-unicode-escaped text")));
}

std::uint64_t PickleReader::slot_line() {
  return static_cast<std::uint64_t>(decoded(decode_decimal(take_line()), "a memo slot"));
}

void PickleReader::put(std::uint64_t slot) {
  memo_[slot] = top();
  if (memo_.size() > kMaxValues) {
    fail(fmt::format("more than {} memo slots", kMaxValues));
  }
}

void PickleReader::get(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) {
    fail(fmt::format("memo slot {} is empty", slot));
  }
  push(found->second);
}

std::string_view PickleReader::take(std::uint64_t length) {
  if (length > bytes_.size() - position_) {
    fail(fmt::format("needs {} bytes, {} are left", length, bytes_.size() - position_));
  }
  const auto size = static_cast<std::size_t>(length);
  const auto* start = reinterpret_cast<const char*>(bytes_.data()) + position_;
  position_ += size;
  return {start, size};
}

std::uint64_t PickleReader::take_unsigned(int width) {
  const std::string_view digits = take(static_cast<std::uint64_t>(width));
  std::uint64_t value = 0;
  for (std::size_t i = digits.size(); i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(digits[i]);
  }
  return value;
}

std::string_view PickleReader::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_,
                              bytes_.size() - position_);
  const std::size_t length = rest.find('\n');
  if (length == std::string_view::npos) {
    fail("a line without end");
  }
  position_ += length + 1;
  return rest.substr(0, length);
}

template <typename Number>
Number PickleReader::decoded(const std::optional<Number>& number, std::string_view what) const {
  if (!number) {
    fail(fmt::format("expected {}", what));
  }
  return *number;
}

PickleReader::Index PickleReader::make(PickleType type, std::uint64_t payload) {
  if (pickle_.nodes_.size() >= kMaxValues) {
    fail(fmt::format("more than {} values", kMaxValues));
  }
  pickle_.nodes_.push_back({type, 0, payload});
  return static_cast<Index>(pickle_.nodes_.size() - 1);
}

PickleReader::Index PickleReader::make_text(PickleType type, std::string_view text) {
  if (text.size() > 0xffffffff) {
    fail("a text of 4 GiB");
  }
  const Index value = make(type, pickle_.text_.size());
  pickle_.nodes_[value].text_length = static_cast<std::uint32_t>(text.size());
  pickle_.text_ += text;
  return value;
}

PickleReader::Index PickleReader::make_list(PickleType type, std::vector<Index> children) {
  if (children.empty()) {
    return make(type, Pickle::kNoChildren);
  }
  const Index value = make(type, pickle_.lists_.size());
  pickle_.lists_.push_back(std::move(children));
  return value;
}

PickleReader::Index PickleReader::make_integer(std::string_view text,
                                               const std::optional<std::int64_t>& value) {
  return value ? make(PickleType::kInteger, static_cast<std::uint64_t>(*value))
               : make_text(PickleType::kBigInteger, text);
}

std::vector<PickleReader::Index>& PickleReader::children(Index value) {
  Pickle::Node& node = pickle_.nodes_[value];
  if (node.payload == Pickle::kNoChildren) {
    node.payload = pickle_.lists_.size();
    pickle_.lists_.emplace_back();
  }
  return pickle_.lists_[node.payload];
}

std::string_view PickleReader::text(Index value) const {
  const Pickle::Node& node = pickle_.nodes_[value];
  return std::string_view(pickle_.text_).substr(node.payload, node.text_length);
}

}  // namespace ltz::formats
