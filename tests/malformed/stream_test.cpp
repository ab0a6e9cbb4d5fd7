// Streams of torch < 1.6, and files that are no checkpoint at all.

#include <catch2/catch.hpp>
#include <string>

#include "formats/fairseq/checkpoint_file.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

// The parts of a stream, all of them as they should be.
struct Stream {
  std::string magic = pickle_of("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
  std::string version = pickle_of(pickled(1001));
  std::string system = pickle_of(pickled_dict({{"little_endian", "\x88"}}));
  std::int64_t count = 6;  // of the storage, in the object
  std::string view = "N";  // in the object
  std::string keys = "](" + pickled("0") + "e";
  std::string storages = unsigned_bytes(6, 8) + std::string(24, '\1');

  std::string text() const {
    const std::string tensor = pickled_tensor(
        {.count = count, .shape = {6}, .strides = {1}, .stream = true, .view = view});
    return magic + version + system +
           fairseq_pickle(pickled("arch") + pickled("transformer"), pickled("w") + tensor) +
           pickle_of(keys) + storages;
  }
};

Bytes stream(const std::function<void(Stream&)>& change) {
  Stream parts;
  change(parts);
  return to_bytes(parts.text());
}

}  // namespace

TEST_CASE("malformed stream: a good one is read") {
  CHECK(refusal(stream([](Stream&) {}), read_pt_file).message == "accepted");
}

TEST_CASE("malformed stream") {
  check_refused(
      {
          {"another magic number",
           stream([](Stream& s) { s.magic[5] = '\1'; }),
           {"expected a checkpoint that torch.save wrote"}},
          {"only the magic number",
           stream([](Stream& s) { s = {.version = "", .system = ""}; }),
           {"protocol version: "}},
          {"version 1002",
           stream([](Stream& s) { s.version = pickle_of(pickled(1002)); }),
           {"protocol version: expected 1001, found 1002"}},
          {"version is a string",
           stream([](Stream& s) { s.version = pickle_of(pickled("1001")); }),
           {"protocol version: expected an integer, found a string"}},
          {"big-endian",
           stream([](Stream& s) {
             s.system = pickle_of(pickled_dict({{"little_endian", "\x89"}}));
           }),
           {"system information: expected little-endian storages, found big-endian ones"}},
          {"no byte order",
           stream([](Stream& s) { s.system = pickle_of("}"); }),
           {"system information: \"little_endian\" is missing"}},
          {"system is a list",
           stream([](Stream& s) { s.system = pickle_of("]"); }),
           {"system information: expected a dict, found a list"}},
          {"keys are a dict",
           stream([](Stream& s) { s.keys = "}"; }),
           {"storage keys: expected a list, found a dict"}},
          {"key is a number",
           stream([](Stream& s) { s.keys = "](K\0e"s; }),
           {"storage keys: expected a string, found an integer"}},
          {"storage is missing",
           stream([](Stream& s) {
             s.keys = "]";
             s.storages.clear();
           }),
           {"tensor w: storage 0 is missing"}},
          {"storage twice",
           stream([](Stream& s) {
             s.keys = "](" + pickled("0") + pickled("0") + "e";
             s.storages += s.storages;
           }),
           {"storage 0 is there twice"}},
          {"storage of nobody",
           stream([](Stream& s) { s.keys = "](" + pickled("0") + pickled("x") + "e"; }),
           {"storage x does not belong to any tensor"}},
          {"fewer elements than the tensor's",
           stream([](Stream& s) { s.storages[0] = 5; }),
           {"storage 0: expected 6 elements, found 5"}},
          {"2^63 elements",
           stream([](Stream& s) { s.storages[7] = '\x80'; }),
           {"storage 0: expected 6 elements, found 9223372036854775814"}},
          {"2^60 elements, here and in the object",
           stream([](Stream& s) {
             s.count = 1LL << 60;
             s.storages.replace(0, 8, unsigned_bytes(1ULL << 60, 8));
           }),
           {"storage 0: expected 4611686018427387912 bytes, 32 are left"}},
          {"2^61 elements overflow", stream([](Stream& s) { s.count = 1LL << 61; }), {"overflows"}},
          {"count is cut off",
           stream([](Stream& s) { s.storages.resize(7); }),
           {"storage 0: expected 32 bytes, 7 are left"}},
          {"storage is cut off",
           stream([](Stream& s) { s.storages.resize(31); }),
           {"storage 0: expected 32 bytes, 31 are left"}},
          {"trailing bytes",
           stream([](Stream& s) { s.storages += "abc"; }),
           {"3 bytes after the last storage"}},
          {"view beyond the storage",
           stream([](Stream& s) {
             s.view = pickled_tuple({pickled("v"), pickled(4), pickled(3)});
           }),
           {"a view of 3 elements at 4 lies outside of storage 0 of 6"}},
          {"view that wraps around",
           stream([](Stream& s) {
             s.view = pickled_tuple({pickled("v"), pickled((1LL << 62)), pickled(1LL << 62)});
           }),
           {"overflows"}},
          {"view without a length",
           stream([](Stream& s) {
             s.view = pickled_tuple({pickled("v"), pickled(4)});
           }),
           {"expected at least 3 items, found 2"}},
      },
      read_pt_file);
}

TEST_CASE("malformed stream: other files") {
  std::string tar(1024, '\0');
  tar.replace(0, 7, "storage");
  tar.replace(257, 8,
              "ustar\0"
              "00"s);
  check_refused(
      {
          {"empty", {}, {"found something else"}},
          {"tar archive of torch < 0.2", to_bytes(tar), {"a tar archive", "torch < 0.2"}},
          {"pickle without a container",
           to_bytes(fairseq_pickle(pickled("arch") + pickled("transformer"), "")),
           {"found something else"}},
          {"text", to_bytes("a,b\n1,2\n"), {"found something else"}},
      },
      read_pt_file);
}
