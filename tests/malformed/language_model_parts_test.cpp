// Files of language models whose tensors, versions or sections are not those of its bands.

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "damaged_hdf5.h"
#include "language_model_files.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using nlohmann::json;

TEST_CASE("malformed language models: tensors of bands that are not there, or are missing") {
  const std::string table = "decoder.embed_tokens.embeddings.2.0.weight";
  const std::string other = "decoder.embed_tokens.embeddings.9.0.weight";
  const std::string beyond = other + " (4, 1) does not belong to a model of this configuration";
  const std::string missing = table + " (4, 1) is missing";
  // Names in INDX ascend.
  const auto renamed = [&](const std::string& name) {
    return language_ltz_with([&](LtzParts& p) {
      p.tensor(table).entry.name = name;
      std::ranges::sort(p.tensors, {}, [](const LtzParts::Payload& t) { return t.entry.name; });
      p.pack_tensors();
    });
  };
  const auto added = [&](const std::string& name) {
    return language_ltz_with([&](LtzParts& p) {
      p.tensors.push_back(p.tensor(table));
      p.tensors.back().entry.name = name;
      std::ranges::sort(p.tensors, {}, [](const LtzParts::Payload& t) { return t.entry.name; });
      p.pack_tensors();
    });
  };
  check_refused(
      {
          {"a tenth band", renamed(other), {missing}},
          {"a tenth band more", added(other), {beyond}},
          {"a tail where projections are the output's own, and tables the input's",
           added("decoder.adaptive_softmax.tail.1.2.weight"),
           {"decoder.adaptive_softmax.tail.1.2.weight", "does not belong"}},
          {"a projection in DATA",
           language_ltz_with([](LtzParts& p) {
             p.tensor("decoder.embed_tokens.embeddings.1.1.weight").entry.table = false;
             p.pack_tensors();
           }),
           {"expected in section EMBD, found in DATA"}},
          {"a band of another size",
           language_ltz_with([&](LtzParts& p) {
             p.tensor(table).entry.shape = {5, 1};
             p.pack_tensors();
           }),
           {"tensor " + table, "expected shape (4, 1), found (5, 1)"}},
          {"a band of 2^40 words",
           language_ltz_with([&](LtzParts& p) {
             p.tensor(table).entry.shape = {std::int64_t{1} << 40, 1};
             p.pack_tensors();
           }),
           {"section INDX: "}},
      },
      read_ltz_file);
  check_refused(
      {{"a tenth band",
        h5_with(small_language_model(),
                [&](hid_t file) {
                  const std::string from = "/tensors/" + table;
                  const std::string to = "/tensors/" + other;
                  H5Lmove(file, from.c_str(), file, to.c_str(), H5P_DEFAULT, H5P_DEFAULT);
                }),
        {table}},
       {"a band of another size",
        h5_with(small_language_model(),
                [&](hid_t file) {
                  set_integers(file, "/tensors/" + table, "shape", {5, 1});
                }),
        {"tensor " + table, "expected (4, 1), found (5, 1)"}},
       {"without its vocabulary",
        h5_with(small_language_model(), [](hid_t file) { unlink(file, "/vocabulary/target"); }),
        {"target"}}},
      read_h5_file);
  check_refused({{"a tenth band",
                  language_safetensors_with([&](json& h) {
                    h[other] = h[table];
                    h.erase(table);
                  }),
                  {missing}},
                 {"a band of another size",
                  language_safetensors_with([&](json& h) {
                    h[table]["shape"] = {2, 2};
                  }),
                  {"tensor " + table, "expected shape (4, 1), found (2, 2)"}},
                 {"without its vocabulary",
                  language_safetensors_with(
                      [](json& h) { h["__metadata__"].erase("ltz.target_vocabulary"); }),
                  {"expected 13 entries"}}},
                read_safetensors_file);
}

TEST_CASE("malformed language models: versions of translation models, and the other way round") {
  const std::string expected = "expected 3 exactly for a language model, found ";
  check_refused({{"version 2",
                  h5_with(small_language_model(),
                          [](hid_t file) { set_integers(file, "/", "version", {2}); }),
                  {"attribute version: " + expected + "2"}},
                 {"version 3 of a translation model",
                  h5_with([](hid_t file) { set_integers(file, "/", "version", {3}); }),
                  {"attribute version: " + expected + "3"}}},
                read_h5_file);
  check_refused(
      {{"version 1",
        language_safetensors_with([](json& h) { h["__metadata__"]["ltz.version"] = "1"; }),
        {"ltz.version: " + expected + "1"}}},
      read_safetensors_file);
}

TEST_CASE("malformed language models: the sections of an .ltz") {
  const auto section = [](const std::string& tag, const std::string& text) {
    return Section{tag, packed(0, static_cast<std::uint32_t>(text.size()), to_bytes(text))};
  };
  const std::string words = LtzParts(small_language_model()).text("VLNG");
  const auto insert = [&](LtzParts& p, int place, const char* tag) {
    p.sections.insert(p.sections.begin() + place, section(tag, words));
  };
  const std::string beside = "section VLNG is there beside the vocabularies of a translation model";
  check_refused(
      {
          {"VLNG beside VSRC",
           language_ltz_with([&](LtzParts& p) { insert(p, 1, "VSRC"); }),
           {beside}},
          {"VLNG beside VTGT",
           language_ltz_with([&](LtzParts& p) { insert(p, 1, "VTGT"); }),
           {beside}},
          {"VLNG in front of CONF",
           language_ltz_with([&](LtzParts& p) { std::swap(p.sections[0], p.sections[1]); }),
           {"out of order"}},
          {"VLNG twice",
           language_ltz_with([&](LtzParts& p) { insert(p, 1, "VLNG"); }),
           {"there twice"}},
          {"VSRC for a language model",
           language_ltz_with([&](LtzParts& p) { p.sections[1].tag = "VSRC"; }),
           {"section CONF: expected a translation model, for which there is a VSRC"}},
          {"no vocabulary",
           language_ltz_with([&](LtzParts& p) { p.sections.erase(p.sections.begin() + 1); }),
           {"section VSRC is missing"}},
          {"VLNG for a translation model",
           ltz_with([&](LtzParts& p) {
             p.sections.erase(p.sections.begin() + 2);
             p.sections[1].tag = "VLNG";
           }),
           {"section CONF: expected a language model, for which there is a VLNG"}},
          {"a word too many",
           language_ltz_with([&](LtzParts& p) { p.set_text("VLNG", words + "more\n"); }),
           {"section VLNG: expected 13 entries (rows of the embedding), found 14"}},
          {"no words",
           language_ltz_with([&](LtzParts& p) { p.set_text("VLNG", ""); }),
           {"section VLNG: expected 13 entries (rows of the embedding), found 4"}},
      },
      read_ltz_file);
}
