// Archives that torch.save does not write, around a checkpoint that is as it should be.

#include <catch2/catch.hpp>
#include <string>

#include "formats/fairseq/checkpoint_file.h"
#include "malformed.h"
#include "raw_zip.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

RawZipEntry good_object() {
  const std::string tensor = pickled_tensor({.count = 6, .shape = {6}, .strides = {1}});
  return {
      .name = "m/data.pkl",
      .content = fairseq_pickle(pickled("arch") + pickled("transformer"), pickled("w") + tensor)};
}

RawZipEntry good_storage() {
  return {.name = "m/data/0", .content = std::string(24, '\1')};
}

Bytes with_storage(const std::function<void(RawZipEntry&)>& change) {
  RawZipEntry storage = good_storage();
  change(storage);
  return raw_zip({good_object(), storage});
}

Bytes with_object(const std::function<void(RawZipEntry&)>& change) {
  RawZipEntry object = good_object();
  change(object);
  return raw_zip({object, good_storage()});
}

Bytes without_end(Bytes bytes, std::size_t count) {
  bytes.resize(bytes.size() - count);
  return bytes;
}

}  // namespace

TEST_CASE("malformed zip: a good one is read") {
  CHECK(refusal(raw_zip({good_object(), good_storage()}), read_pt_file).message == "accepted");
}

TEST_CASE("malformed zip: entries") {
  const std::string storage = "zip entry m/data/0";
  check_refused(
      {
          {"checksum of a storage",
           with_storage([](auto& e) { e.crc = 1; }),
           {"tensor w: " + storage, "CRC error"}},
          {"checksum of the object",
           with_object([](auto& e) { e.crc = 1; }),
           {"zip entry m/data.pkl: CRC error"}},
          {"said to be deflated", with_storage([](auto& e) { e.method = 8; }), {storage}},
          {"packed in another way",
           with_storage([](auto& e) { e.method = 12; }),
           {storage, "expected stored or deflated bytes, found method 12"}},
          {"encrypted", with_storage([](auto& e) { e.flags = 1; }), {storage, "encrypted"}},
          {"bomb",
           with_storage([](auto& e) {
             e.method = 8;
             e.size = 0xfffffffe;
           }),
           {storage, "expected 24 bytes", "found 4294967294"}},
          {"bomb of an object",
           with_object([](auto& e) {
             e.method = 8;
             e.size = 0xfffffffe;
           }),
           {"zip entry m/data.pkl: 4294967294 bytes", "do not fit"}},
          {"more comes out than of any archive of weights",
           with_object([](auto& e) {
             e.method = 8;
             e.content.resize(100'000);
             e.size = 100'000'000;
           }),
           {"zip entry m/data.pkl: more than", "bytes come out of a file of"}},
          {"stored, but larger than its bytes",
           with_storage([](auto& e) { e.size = 0x7fffffff; }),
           {storage}},
          {"larger than the file",
           with_storage([](auto& e) { e.size = e.packed_size = 0x7fffffff; }),
           {storage, "2147483647 bytes in a file of"}},
          {"a little larger than the file has behind it",
           with_storage([](auto& e) { e.size = e.packed_size = 150; }),
           {storage}},
          {"shorter than the tensor",
           with_storage([](auto& e) { e.content.resize(20); }),
           {"tensor w: " + storage + ": expected 24 bytes", "found 20"}},
          {"offset beyond the file", with_storage([](auto& e) { e.offset = 0x7fffffff; }), {"zip"}},
          {"offset in the middle of another entry",
           with_storage([](auto& e) { e.offset = 5; }),
           {storage}},
          {"trailing bytes after the pickle",
           with_object([](auto& e) { e.content += "N."; }),
           {"m/data.pkl: 2 bytes after the pickle"}},
          {"pickle is cut off",
           with_object([](auto& e) { e.content.resize(e.content.size() - 9); }),
           {"m/data.pkl: pickle, byte "}},
          {"pickle is empty",
           with_object([](auto& e) { e.content.clear(); }),
           {"m/data.pkl: pickle, byte 0"}},
      },
      read_pt_file);
}

TEST_CASE("malformed zip: the archive") {
  RawZipEntry second = good_object();
  second.name = "n/data.pkl";
  RawZipEntry deep = good_object();
  deep.name = "a/b/data.pkl";
  // Two storages that are the object's own bytes: more is read than there is.
  RawZipEntry overlapping = good_object();
  overlapping.name = "m/byteorder";
  overlapping.offset = 0;
  overlapping.local_name = "m/data.pkl";
  const RawZipEntry odd{.name = "m/byteorder", .content = std::string(3000, '?')};
  const std::vector<RawZipEntry> good = {good_object(), good_storage()};
  check_refused(
      {
          {"nothing inside", raw_zip({{.name = "x", .content = "y"}}), {"no data.pkl inside"}},
          {"data.pkl in no folder of its own", raw_zip({deep}), {"no data.pkl inside"}},
          {"the same name twice",
           raw_zip({good_object(), good_storage(), good_storage()}),
           {"m/data/0 is there twice"}},
          {"two objects",
           raw_zip({good_object(), second}),
           {"expected one data.pkl, found", "m/data.pkl", "n/data.pkl"}},
          {"byte order of 3000 bytes",
           raw_zip({good_object(), good_storage(), odd}),
           {"m/byteorder: expected little or big, found ????????????????"}},
          {"storage is missing", raw_zip({good_object()}), {"tensor w: ", "m/data/0 is missing"}},
          {"directory is cut off", without_end(raw_zip(good), 30), {"zip archive: "}},
          {"half a record at the end", without_end(raw_zip(good), 10), {"zip archive: "}},
          {"one entry too many", raw_zip(good, {.entries = 3}), {"zip archive: "}},
          // libzip makes room for them before it looks: 32 bytes each, at most 2 MiB.
          {"65535 entries", raw_zip(good, {.entries = 0xffff}), {"zip archive: "}, 32 * 0xffff},
          {"2^40 entries", raw_zip(good, {.entries64 = std::uint64_t{1} << 40}), {"zip archive: "}},
          {"2^62 entries in as many bytes",
           raw_zip(good, {.entries64 = std::uint64_t{1} << 62,
                          .directory_size64 = std::uint64_t{1} << 62}),
           {"zip archive: "}},
          {"directory longer than the file",
           raw_zip(good, {.directory_size = 0x7fffffff}),
           {"zip archive: "}},
          {"directory beyond the file",
           raw_zip(good, {.directory_offset = 0x7fffffff}),
           {"zip archive: "}},
          {"directory at the wrong place",
           raw_zip(good, {.directory_offset = 4}),
           {"zip archive: "}},
          {"only the magic bytes", to_bytes("PK\3\4"), {"zip archive: "}},
      },
      read_pt_file);
  const Refusal overlap =
      refusal(raw_zip({good_object(), good_storage(), overlapping}), read_pt_file);
  CHECK(overlap.message.find("m/byteorder") != std::string::npos);
}
