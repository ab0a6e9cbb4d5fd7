#include "formats/torch/pickle_opcodes.h"

#include <fmt/format.h>

#include <string_view>

namespace ltz::formats {
namespace {

struct OpcodeName {
  Opcode opcode;
  std::string_view name;
};

constexpr OpcodeName kOpcodeNames[] = {
    {Opcode::kMark, "MARK"},
    {Opcode::kStop, "STOP"},
    {Opcode::kPop, "POP"},
    {Opcode::kPopMark, "POP_MARK"},
    {Opcode::kDup, "DUP"},
    {Opcode::kFloat, "FLOAT"},
    {Opcode::kInt, "INT"},
    {Opcode::kBinInt, "BININT"},
    {Opcode::kBinInt1, "BININT1"},
    {Opcode::kLong, "LONG"},
    {Opcode::kBinInt2, "BININT2"},
    {Opcode::kNone, "NONE"},
    {Opcode::kPersId, "PERSID"},
    {Opcode::kBinPersId, "BINPERSID"},
    {Opcode::kReduce, "REDUCE"},
    {Opcode::kString, "STRING"},
    {Opcode::kBinString, "BINSTRING"},
    {Opcode::kShortBinString, "SHORT_BINSTRING"},
    {Opcode::kUnicode, "UNICODE"},
    {Opcode::kBinUnicode, "BINUNICODE"},
    {Opcode::kAppend, "APPEND"},
    {Opcode::kBuild, "BUILD"},
    {Opcode::kGlobal, "GLOBAL"},
    {Opcode::kDict, "DICT"},
    {Opcode::kAppends, "APPENDS"},
    {Opcode::kGet, "GET"},
    {Opcode::kBinGet, "BINGET"},
    {Opcode::kInst, "INST"},
    {Opcode::kLongBinGet, "LONG_BINGET"},
    {Opcode::kList, "LIST"},
    {Opcode::kObj, "OBJ"},
    {Opcode::kPut, "PUT"},
    {Opcode::kBinPut, "BINPUT"},
    {Opcode::kLongBinPut, "LONG_BINPUT"},
    {Opcode::kSetItem, "SETITEM"},
    {Opcode::kTuple, "TUPLE"},
    {Opcode::kSetItems, "SETITEMS"},
    {Opcode::kEmptyDict, "EMPTY_DICT"},
    {Opcode::kEmptyList, "EMPTY_LIST"},
    {Opcode::kEmptyTuple, "EMPTY_TUPLE"},
    {Opcode::kBinFloat, "BINFLOAT"},
    {Opcode::kBinBytes, "BINBYTES"},
    {Opcode::kShortBinBytes, "SHORT_BINBYTES"},
    {Opcode::kProto, "PROTO"},
    {Opcode::kNewObj, "NEWOBJ"},
    {Opcode::kTuple1, "TUPLE1"},
    {Opcode::kTuple2, "TUPLE2"},
    {Opcode::kTuple3, "TUPLE3"},
    {Opcode::kNewTrue, "NEWTRUE"},
    {Opcode::kNewFalse, "NEWFALSE"},
    {Opcode::kLong1, "LONG1"},
    {Opcode::kLong4, "LONG4"},
    {Opcode::kShortBinUnicode, "SHORT_BINUNICODE"},
    {Opcode::kBinUnicode8, "BINUNICODE8"},
    {Opcode::kBinBytes8, "BINBYTES8"},
    {Opcode::kEmptySet, "EMPTY_SET"},
    {Opcode::kAddItems, "ADDITEMS"},
    {Opcode::kFrozenSet, "FROZENSET"},
    {Opcode::kNewObjEx, "NEWOBJ_EX"},
    {Opcode::kStackGlobal, "STACK_GLOBAL"},
    {Opcode::kMemoize, "MEMOIZE"},
    {Opcode::kFrame, "FRAME"},
};

}  // namespace

std::string opcode_name(std::uint8_t byte) {
  for (const OpcodeName& entry : kOpcodeNames) {
    if (entry.opcode == static_cast<Opcode>(byte)) {
      return std::string(entry.name);
    }
  }
  return fmt::format("0x{:02x}", byte);
}

}  // namespace ltz::formats
