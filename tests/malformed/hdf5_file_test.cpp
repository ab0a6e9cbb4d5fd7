// .h5 files whose superblock, attributes, vocabularies or links HDF5's own library damaged.
// HDF5.md has the layout.

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "damaged_hdf5.h"
#include "formats/hdf5/hdf5.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::test;

TEST_CASE("malformed hdf5: a good one is read") {
  CHECK(refusal(h5_with([](hid_t) {}), read_h5_file).message == "accepted");
}

TEST_CASE("malformed hdf5: the file") {
  const Bytes good = h5_with([](hid_t) {});
  const auto front = [&](std::size_t length) {
    return Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
  };
  Bytes superblock = good;
  std::fill(superblock.begin() + 8, superblock.begin() + 64, std::byte{0xff});
  Bytes zeros = good;
  std::fill(zeros.begin() + 8, zeros.end(), std::byte{0});
  check_refused(
      {
          {"another signature", to_bytes("\x89HDF\n\n\x1a\n"), {"expected an HDF5 file"}},
          {"nothing after the signature", front(8), {"superblock reaches beyond the end"}},
          {"half a superblock", front(30), {"superblock reaches beyond the end"}},
          {"superblock of ones", superblock, {"superblock of version 0 to 3, found version 255"}},
          {"zeros after the signature", zeros, {"opening it: HDF5: bad byte number in an address"}},
          {"cut off", front(good.size() - 1), {"truncated: expected"}},
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: attributes of the file") {
  const auto file = [](const std::string& name, const std::function<void(hid_t)>& change,
                       const std::string& cause) {
    return Malformed{name, h5_with(change), {cause}};
  };
  check_refused(
      {
          file(
              "no format", [](hid_t f) { H5Adelete(f, "format"); }, "attribute format is missing"),
          file(
              "another format", [](hid_t f) { set_text(f, "/", "format", "keras"); },
              "attribute format: expected \"ltz-checkpoint\""),
          file(
              "no version", [](hid_t f) { H5Adelete(f, "version"); }, "attribute version is missi"),
          file(
              "version of the future", [](hid_t f) { set_integers(f, "/", "version", {4}); },
              "newer ltz: expected version 1 to 3, found 4"),
          file(
              "no SentencePiece model in version 2",
              [](hid_t f) { set_integers(f, "/", "version", {2}); }, "sentencepiece is missing"),
          file(
              "version 0", [](hid_t f) { set_integers(f, "/", "version", {0}); },
              "attribute version: expected 1"),
          file(
              "two versions",
              [](hid_t f) {
                set_integers(f, "/", "version", {1, 1});
              },
              "attribute version: expected 1"),
          file(
              "no configuration", [](hid_t f) { H5Adelete(f, "config"); },
              "attribute config is missing"),
          file(
              "configuration is a number", [](hid_t f) { set_integers(f, "/", "config", {1}); },
              "attribute config: expected one string"),
          file(
              "configuration is not JSON", [](hid_t f) { set_text(f, "/", "config", "layers=6"); },
              "attribute config: configuration: "),
          file(
              "nested configuration",
              [](hid_t f) { set_text(f, "/", "config", std::string(60'000, '[')); }, "nested"),
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: vocabularies, merges and links") {
  const auto file = [](const std::string& name, const std::function<void(hid_t)>& change,
                       std::vector<std::string> says) {
    return Malformed{name, h5_with(change), std::move(says)};
  };
  const hid_t word = H5Tcopy(H5T_C_S1);
  H5Tset_size(word, 4);
  check_refused(
      {
          file("no vocabulary", [](hid_t f) { unlink(f, "vocabulary"); },
               {"vocabulary is missing"}),
          file("no source vocabulary", [](hid_t f) { unlink(f, "vocabulary/source"); },
               {"vocabulary/source: ", "missing"}),
          file("vocabulary is a dataset", [](hid_t f) { replace(f, "vocabulary", {}); },
               {"vocabulary: expected a group"}),
          file("words are numbers", [](hid_t f) { replace(f, "vocabulary/target", {}); },
               {"vocabulary/target: ", "expected a one-dimensional dataset of strings"}),
          file("words in two dimensions",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {3, 3}});
               },
               {"vocabulary/target: ", "expected a one-dimensional"}),
          file("line ends for words",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {9}, .content = '\n'});
               },
               {"vocabulary/target: the vocabulary has a word with a line end"}),
          file("too few words",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {1}, .content = 'a'});
               },
               {"the target dictionary does not match the model: expected 13 entries", "found 5"}),
          file("2^40 words that nobody wrote",
               [&](hid_t f) {
                 replace(f, "vocabulary/source",
                         {.type = word, .shape = {1ULL << 40}, .written = false});
               },
               {"vocabulary/source: ", "more than the file has"}),
          file("merge of one symbol",
               [&](hid_t f) { replace(f, "merges", {.type = word, .shape = {1}, .content = 'a'}); },
               {"merges: expected \"left right\", found \"aaaa\""}),
          file("soft link to another list",
               [](hid_t f) {
                 unlink(f, "vocabulary/source");
                 H5Lcreate_soft("/vocabulary/target", f, "vocabulary/source", H5P_DEFAULT,
                                H5P_DEFAULT);
               },
               {"the source dictionary does not match the model"}),
          file("soft link to nowhere",
               [](hid_t f) {
                 unlink(f, "vocabulary/source");
                 H5Lcreate_soft("/words", f, "vocabulary/source", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"vocabulary: source: HDF5: "}),
          file("soft link to itself",
               [](hid_t f) {
                 unlink(f, "tensors");
                 H5Lcreate_soft("/tensors", f, "tensors", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"tensors: HDF5: too many links"}),
          file("external link",
               [](hid_t f) {
                 unlink(f, "vocabulary");
                 H5Lcreate_external("other.h5", "/", f, "vocabulary", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"vocabulary: expected a hard or soft link, found an external one"}),
          file("soft link to an external one",
               [](hid_t f) {
                 unlink(f, "vocabulary");
                 H5Lcreate_external("/etc/passwd", "/", f, "out", H5P_DEFAULT, H5P_DEFAULT);
                 H5Lcreate_soft("/out", f, "vocabulary", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"vocabulary: HDF5: "}),
          file("group within itself",
               [](hid_t f) {
                 unlink(f, "tensors");
                 H5Lcreate_hard(f, "/", f, "tensors", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"tensor"}),
      },
      read_h5_file);
  H5Tclose(word);
}
