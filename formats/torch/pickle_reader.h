#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/torch/pickle.h"

namespace ltz::formats {

// The stack machine behind read_pickle(). Each opcode costs constant time and memory, apart from
// what it consumes of the input or of the stack.
class PickleReader {
 public:
  explicit PickleReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  Pickle read();

 private:
  using Index = std::uint32_t;

  [[noreturn]] void fail(const std::string& what) const;

  // Input.
  std::string_view take(std::uint64_t length);
  std::uint64_t take_unsigned(int width);
  std::string_view take_line();
  template <typename Number>
  Number decoded(const std::optional<Number>& number, std::string_view what) const;

  // Values. These exist once, at these indices.
  static constexpr Index kNone = 0;
  static constexpr Index kFalse = 1;
  static constexpr Index kTrue = 2;
  Index make(PickleType type, std::uint64_t payload);
  Index make_text(PickleType type, std::string_view text);
  Index make_list(PickleType type, std::vector<Index> children);
  Index make_integer(std::string_view text, const std::optional<std::int64_t>& value);
  std::vector<Index>& children(Index value);
  PickleType type(Index value) const { return pickle_.nodes_[value].type; }
  std::string_view text(Index value) const;

  // Stack. Nothing below the last mark can be popped.
  void push(Index value);
  Index pop();
  Index top(PickleType wanted);
  Index top();
  std::vector<Index> pop_to_mark();
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  // One instruction of the machine, named as in Python's pickletools.
  struct Opcode {
    std::uint8_t byte;
    std::string_view name;
    void (*run)(PickleReader& reader);
  };
  // nullptr for a byte that is none of them.
  static const Opcode* find_opcode(std::uint8_t byte);

  // Steps of more than one line; the others stand in the table of opcodes.
  void protocol();
  void frame();
  void binary_integer();
  void integer_line();
  void long_line();
  void long_bytes(int width);
  void float_line();
  void float_bytes();
  void counted_text(PickleType type, int width);
  void quoted_line();
  void unicode_line();
  std::uint64_t slot_line();
  void pop_value_or_mark();
  void stack_global();
  void reduce();
  void instance();
  void object();
  void dict();
  void frozen_set();
  void persistent_id(Index id);

  // The `count` values on top, removed; the topmost is the last.
  std::vector<Index> pop_last(std::size_t count);
  void append(const std::vector<Index>& items);
  void add(const std::vector<Index>& items);
  void set_items(const std::vector<Index>& items);
  void push_list(PickleType type, std::vector<Index> items);
  void require_key(Index key) const;
  void global_lines();
  void global(std::string_view module, std::string_view name);
  void call(Index callable, Index arguments);
  Index ordered_dict(Index arguments);
  void build();
  void put(std::uint64_t slot);
  void get(std::uint64_t slot);

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::size_t opcode_position_ = 0;
  std::size_t copied_items_ = 0;
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Index> memo_;
};

}  // namespace ltz::formats
