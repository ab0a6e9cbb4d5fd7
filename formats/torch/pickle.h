#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ltz::formats {

enum class PickleType : std::uint8_t {
  kNone,
  kBool,
  kInteger,
  kBigInteger,  // beyond 64 bits
  kDouble,
  kString,
  kBytes,
  kList,
  kTuple,
  kDict,  // also collections.OrderedDict
  kSet,   // also frozenset
  kSymbol,
  kObject,
  kPersistentId,
};

std::string_view to_string(PickleType type);

class Pickle;

// A value inside a Pickle, valid as long as that lives. Asking it for what it is not throws a
// FormatError that says what was expected and what was found.
class PickleValue {
 public:
  PickleType type() const;
  bool is(PickleType wanted) const { return type() == wanted; }
  bool as_bool() const;
  std::int64_t as_integer() const;
  std::string_view as_big_integer() const;  // two's complement, little-endian
  double as_double() const;                 // an integer counts as well
  std::string_view as_string() const;
  std::string_view as_bytes() const;

  // list, tuple, set: number of items; dict: number of pairs, those with equal keys each counted.
  std::size_t size() const;
  PickleValue item(std::size_t index) const;                           // list, tuple, set
  std::pair<PickleValue, PickleValue> entry(std::size_t index) const;  // dict
  // dict: the value of a string key; of several the last, as Python has it.
  std::optional<PickleValue> find(std::string_view key) const;

  std::string_view symbol() const;  // "module.name"
  // object: what would have been called with what, and what its state would have been set to.
  PickleValue callable() const;
  PickleValue arguments() const;
  PickleValue state() const;
  PickleValue persistent_id() const;
  // True for an object that "module.name" would have made.
  bool is_call_of(std::string_view symbol_name) const;
  // Bytes of the whole pickle that the value is in.
  std::size_t pickle_size() const;

 private:
  friend class Pickle;
  PickleValue(const Pickle& pickle, std::uint32_t index) : pickle_(&pickle), index_(index) {}
  void expect(PickleType wanted) const;
  const std::vector<std::uint32_t>& children() const;
  std::string_view text() const;

  const Pickle* pickle_;
  std::uint32_t index_;
};

// What a pickle describes. Nothing is imported or called: globals are names, and an object is what
// would have been called, with which arguments. Values sit in one array and refer to each other by
// index, so cycles are harmless and nothing is ever recursed into, not even on destruction.
class Pickle {
 public:
  PickleValue root() const { return PickleValue(*this, root_); }
  // Bytes up to and including the STOP opcode.
  std::size_t consumed() const { return consumed_; }
  // All persistent ids, in the order of the stream, reachable from the root or not.
  std::vector<PickleValue> persistent_ids() const;

 private:
  friend class PickleValue;
  friend class PickleReader;

  // payload: bool, integer, bits of a double, index of the persistent id's value, of the children
  // in lists_ (kNoChildren: none yet), or where the text starts in text_.
  struct Node {
    PickleType type = PickleType::kNone;
    std::uint32_t text_length = 0;
    std::uint64_t payload = 0;
  };
  static constexpr std::uint64_t kNoChildren = ~std::uint64_t{0};

  std::vector<Node> nodes_;
  std::vector<std::vector<std::uint32_t>> lists_;
  std::string text_;
  std::uint32_t root_ = 0;
  std::size_t consumed_ = 0;
};

// Reads one pickle of protocol 0 to 5 (without the out-of-band buffers of 5) from the start of
// `bytes`; more may follow it. Throws FormatError with the offset and the opcode. The memory needed
// is proportional to the bytes consumed.
Pickle read_pickle(std::span<const std::byte> bytes);

}  // namespace ltz::formats
