// What each opcode of pickle protocols 0 to 5 does; 5's out-of-band buffers are not among them.

#include <array>

#include "formats/torch/pickle_reader.h"

namespace ltz::formats {

const PickleReader::Opcode* PickleReader::find_opcode(std::uint8_t byte) {
  // r: the reader that has just taken the opcode.
  static constexpr Opcode kOpcodes[] = {
      // The stream.
      {0x80, "PROTO", [](PickleReader& r) { r.protocol(); }},
      {0x95, "FRAME", [](PickleReader& r) { r.frame(); }},
      {'.', "STOP", [](PickleReader& r) { r.stopped_ = true; }},
      // Constants and numbers.
      {'N', "NONE", [](PickleReader& r) { r.push(kNone); }},
      {0x88, "NEWTRUE", [](PickleReader& r) { r.push(kTrue); }},
      {0x89, "NEWFALSE", [](PickleReader& r) { r.push(kFalse); }},
      {'K', "BININT1",
       [](PickleReader& r) { r.push(r.make(PickleType::kInteger, r.take_unsigned(1))); }},
      {'M', "BININT2",
       [](PickleReader& r) { r.push(r.make(PickleType::kInteger, r.take_unsigned(2))); }},
      {'J', "BININT", [](PickleReader& r) { r.binary_integer(); }},
      {0x8a, "LONG1", [](PickleReader& r) { r.long_bytes(1); }},
      {0x8b, "LONG4", [](PickleReader& r) { r.long_bytes(4); }},
      {'I', "INT", [](PickleReader& r) { r.integer_line(); }},
      {'L', "LONG", [](PickleReader& r) { r.long_line(); }},
      {'F', "FLOAT", [](PickleReader& r) { r.float_line(); }},
      {'G', "BINFLOAT", [](PickleReader& r) { r.float_bytes(); }},
      // Texts. Python 2 wrote its native strings, names of tensors among them, with the BINSTRING
      // family.
      {'S', "STRING", [](PickleReader& r) { r.quoted_line(); }},
      {'V', "UNICODE", [](PickleReader& r) { r.unicode_line(); }},
      {'U', "SHORT_BINSTRING", [](PickleReader& r) { r.counted_text(PickleType::kString, 1); }},
      {'T', "BINSTRING", [](PickleReader& r) { r.counted_text(PickleType::kString, 4); }},
      {0x8c, "SHORT_BINUNICODE", [](PickleReader& r) { r.counted_text(PickleType::kString, 1); }},
      {'X', "BINUNICODE", [](PickleReader& r) { r.counted_text(PickleType::kString, 4); }},
      {0x8d, "BINUNICODE8", [](PickleReader& r) { r.counted_text(PickleType::kString, 8); }},
      {'C', "SHORT_BINBYTES", [](PickleReader& r) { r.counted_text(PickleType::kBytes, 1); }},
      {'B', "BINBYTES", [](PickleReader& r) { r.counted_text(PickleType::kBytes, 4); }},
      {0x96, "BYTEARRAY8", [](PickleReader& r) { r.counted_text(PickleType::kBytes, 8); }},
      {0x8e, "BINBYTES8", [](PickleReader& r) { r.counted_text(PickleType::kBytes, 8); }},
      // The stack.
      {'(', "MARK", [](PickleReader& r) { r.marks_.push_back(r.stack_.size()); }},
      {'0', "POP", [](PickleReader& r) { r.pop_value_or_mark(); }},
      {'1', "POP_MARK", [](PickleReader& r) { r.pop_to_mark(); }},
      {'2', "DUP", [](PickleReader& r) { r.push(r.top()); }},
      // Containers.
      {']', "EMPTY_LIST", [](PickleReader& r) { r.push_list(PickleType::kList, {}); }},
      {')', "EMPTY_TUPLE", [](PickleReader& r) { r.push_list(PickleType::kTuple, {}); }},
      {'}', "EMPTY_DICT", [](PickleReader& r) { r.push_list(PickleType::kDict, {}); }},
      {0x8f, "EMPTY_SET", [](PickleReader& r) { r.push_list(PickleType::kSet, {}); }},
      {'l', "LIST", [](PickleReader& r) { r.push_list(PickleType::kList, r.pop_to_mark()); }},
      {'t', "TUPLE", [](PickleReader& r) { r.push_list(PickleType::kTuple, r.pop_to_mark()); }},
      {0x85, "TUPLE1", [](PickleReader& r) { r.push_list(PickleType::kTuple, r.pop_last(1)); }},
      {0x86, "TUPLE2", [](PickleReader& r) { r.push_list(PickleType::kTuple, r.pop_last(2)); }},
      {0x87, "TUPLE3", [](PickleReader& r) { r.push_list(PickleType::kTuple, r.pop_last(3)); }},
      {'d', "DICT", [](PickleReader& r) { r.dict(); }},
      {0x91, "FROZENSET", [](PickleReader& r) { r.frozen_set(); }},
      {'a', "APPEND", [](PickleReader& r) { r.append(r.pop_last(1)); }},
      {'e', "APPENDS", [](PickleReader& r) { r.append(r.pop_to_mark()); }},
      {0x90, "ADDITEMS", [](PickleReader& r) { r.add(r.pop_to_mark()); }},
      {'s', "SETITEM", [](PickleReader& r) { r.set_items(r.pop_last(2)); }},
      {'u', "SETITEMS", [](PickleReader& r) { r.set_items(r.pop_to_mark()); }},
      // Symbols and objects.
      {'c', "GLOBAL", [](PickleReader& r) { r.global_lines(); }},
      {0x93, "STACK_GLOBAL", [](PickleReader& r) { r.stack_global(); }},
      {'R', "REDUCE", [](PickleReader& r) { r.reduce(); }},
      {0x81, "NEWOBJ", [](PickleReader& r) { r.reduce(); }},
      {0x92, "NEWOBJ_EX",
       [](PickleReader& r) {
         r.pop();  // keyword arguments
         r.reduce();
       }},
      {'i', "INST", [](PickleReader& r) { r.instance(); }},
      {'o', "OBJ", [](PickleReader& r) { r.object(); }},
      {'b', "BUILD", [](PickleReader& r) { r.build(); }},
      {'P', "PERSID",
       [](PickleReader& r) { r.persistent_id(r.make_text(PickleType::kString, r.take_line())); }},
      {'Q', "BINPERSID", [](PickleReader& r) { r.persistent_id(r.pop()); }},
      // The memo.
      {'p', "PUT", [](PickleReader& r) { r.put(r.slot_line()); }},
      {'q', "BINPUT", [](PickleReader& r) { r.put(r.take_unsigned(1)); }},
      {'r', "LONG_BINPUT", [](PickleReader& r) { r.put(r.take_unsigned(4)); }},
      {0x94, "MEMOIZE", [](PickleReader& r) { r.put(r.memo_.size()); }},
      {'g', "GET", [](PickleReader& r) { r.get(r.slot_line()); }},
      {'h', "BINGET", [](PickleReader& r) { r.get(r.take_unsigned(1)); }},
      {'j', "LONG_BINGET", [](PickleReader& r) { r.get(r.take_unsigned(4)); }},
  };
  static constexpr auto kByByte = [] {
    std::array<const Opcode*, 256> table{};
    for (const Opcode& opcode : kOpcodes) {
      table[opcode.byte] = &opcode;
    }
    return table;
  }();
  return kByByte[byte];
}

}  // namespace ltz::formats
