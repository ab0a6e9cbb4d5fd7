#include "tests/fuzz/targets.h"
#include "tests/fuzz/model_seeds.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "eval/scores/bleu.h"
#include "eval/scores/rouge.h"
#include "eval/scores/sacrebleu.h"
#include "formats/bytes/config_json.h"
#include "formats/bytes/word_list.h"
#include "formats/fairseq/checkpoint_file.h"
#include "formats/fairseq/dictionary.h"
#include "formats/fairseq/fairseq.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/ltz/payload.h"
#include "formats/records/recipe_toml.h"
#include "formats/records/sensitivity_csv.h"
#include "formats/records/training_file.h"
#include "formats/safetensors/checkpoint.h"
#include "formats/torch/pickle.h"
#include "model/base/error.h"
#include "model/text/bpe.h"
#include "model/text/sentence_pieces.h"
#include "tests/malformed/raw_hdf5.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/sentence_piece_bytes.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::test {
namespace {

using Bytes = std::vector<std::byte>;
using Input = std::span<const std::byte>;

constexpr const char* kName = "input";

std::string_view text_of(Input bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<Bytes> texts(std::initializer_list<std::string_view> contents) {
  std::vector<Bytes> seeds;
  std::ranges::transform(contents, std::back_inserter(seeds), to_bytes);
  return seeds;
}

void read_torch(Input bytes) {
  formats::checkpoint_from_torch(formats::read_torch_checkpoint(bytes, kName), {}, {}, {}, kName);
}

std::vector<Bytes> pickle_seeds() {
  return texts({small_object(false), small_object(true), small_language_object(false),
                pickle_of(pickled_dict({{"a", "N"}})),
                "(dp0\nS'key'\np1\n(lp2\nI01\naF1.5\naL7L\nas."});
}

std::vector<Bytes> zip_seeds() {
  return {
      zip_of({{"m/data.pkl", small_object(false)}, {"m/data/0", std::string(24, '\1')}}),
      zip_of({{"m/data.pkl", small_object(false)},
              {"m/byteorder", "little"},
              {"m/data/0", std::string(24, '\1'), true}}),
      zip_of({{"m/data.pkl", small_language_object(false)}, {"m/data/0", std::string(24, '\1')}})};
}

std::vector<Bytes> stream_seeds() {
  return {stream_of(small_object(true), {{"0", 6, std::string(24, '\1')}}),
          stream_of(small_language_object(true), {{"0", 6, std::string(24, '\1')}})};
}

void read_safetensors(Input bytes) {
  formats::read_safetensors(bytes, kName, {});
}

std::vector<Bytes> safetensors_seeds() {
  return {formats::encode_safetensors(small_checkpoint()),
          formats::encode_safetensors(small_quantized_checkpoint()),
          formats::encode_safetensors(small_language_model())};
}

// The plain layout. Any other starts a process, for each input: tests/malformed damages some.
void read_hdf5(Input bytes) {
  formats::read_plain_hdf5(bytes, kName);
}

// A whole file is large; the others have a part each: links, a header that goes on, a string in a
// heap.
std::vector<Bytes> hdf5_seeds() {
  const std::string format = raw_attribute({.name = "format", .data = "ltz-checkpoint"});
  const std::string on = raw_continuation(format);
  const std::string heap = "GCOL" + raw_integer(1, 4) + raw_integer(40, 8) +
                           raw_integer(0x10001, 8) + raw_integer(3, 8) + "ltz" + raw_integer(0, 5);
  const std::string reference =
      raw_integer(3, 4) + raw_integer(RawHdf5::kBefore, 8) + raw_integer(1, 4);
  const std::string variable =
      raw_integer(0x19, 1) + raw_integer(1, 3) + raw_integer(16, 4) + raw_integer(0x13, 8);
  return {
      formats::encode_hdf5(small_quantized_checkpoint()),
      formats::encode_hdf5(small_language_model()),
      raw_hdf5({.messages = format + raw_link("tensors", RawHdf5::kBefore)}),
      raw_hdf5({.messages =
                    raw_message(16, raw_integer(RawHdf5::kBefore, 8) + raw_integer(on.size(), 8)),
                .before = on}),
      raw_hdf5({.messages = raw_attribute({.name = "format", .data = reference, .type = variable}),
                .before = heap})};
}

void read_ltz(Input bytes) {
  formats::decode_ltz(bytes, kName);
  formats::ltz_sizes(bytes);
}

std::vector<Bytes> ltz_seeds() {
  return {formats::encode_ltz(small_quantized_checkpoint()),
          formats::encode_ltz(small_checkpoint()), formats::encode_ltz(small_language_model())};
}

// The first bytes say what kind it is, and of what shape.
void read_payload(Input bytes) {
  if (bytes.size() < 3) {
    return;
  }
  const auto number = [&](std::size_t i) { return std::to_integer<std::int64_t>(bytes[i]); };
  const auto kind = static_cast<formats::PayloadKind>(number(0) % formats::kPayloadKinds);
  formats::decode_payload(bytes.subspan(3), {number(1), number(2)}, kind);
}

std::vector<Bytes> payload_seeds() {
  std::vector<Bytes> seeds;
  for (const auto& [name, tensor] : tiny_quantized_checkpoint(1).tensors) {
    if (tensor.shape.size() == 2) {
      const formats::Payload payload = formats::encode_payload(tensor);
      Bytes seed = {static_cast<std::byte>(payload.kind), static_cast<std::byte>(tensor.shape[0]),
                    static_cast<std::byte>(tensor.shape[1])};
      seed.insert(seed.end(), payload.bytes.begin(), payload.bytes.end());
      seeds.push_back(seed);
    }
  }
  return seeds;
}

void read_dictionary(Input bytes) {
  formats::parse_dictionary(text_of(bytes), kName);
}

void read_bpe_codes(Input bytes) {
  const BpeEncoder encoder(formats::parse_bpe_codes(text_of(bytes), kName));
  encoder.encode_line(text_of(bytes));
}

void read_sentencepiece(Input bytes) {
  const SentencePieceEncoder encoder(parse_sentence_piece_model(text_of(bytes)));
  encoder.encode(text_of(bytes));
  encoder.encode_line("a\u00A0b <x>\u3000\xE9 ab");
}

std::vector<std::vector<std::byte>> sentencepiece_seeds() {
  using Type = SentencePieceModel::Type;
  std::vector<std::vector<std::byte>> seeds;
  for (const auto algorithm :
       {SentencePieceModel::Algorithm::kUnigram, SentencePieceModel::Algorithm::kBpe}) {
    SentencePieceModel model;
    model.algorithm = algorithm;
    model.byte_fallback = algorithm == SentencePieceModel::Algorithm::kBpe;
    model.pieces = {{"<unk>", 0.0f, Type::kUnknown},
                    {"a", -2.0f, Type::kNormal},
                    {"b", -2.0f, Type::kNormal},
                    {"ab", -1.0f, Type::kUnused},
                    {"<x>", 0.0f, Type::kUserDefined}};
    const std::string bytes = sentence_piece_bytes(model);
    const auto seed = std::as_bytes(std::span(bytes));
    seeds.emplace_back(seed.begin(), seed.end());
  }
  return seeds;
}

void read_recipe(Input bytes) {
  formats::parse_recipe(text_of(bytes), kName);
}

void read_config(Input bytes) {
  formats::config_from_text(text_of(bytes));
}

void read_args(Input bytes) {
  const auto args = nlohmann::json::parse(text_of(bytes), nullptr, false);
  if (!args.is_discarded()) {
    formats::config_from_args(args);
  }
}

void read_sensitivity(Input bytes) {
  formats::parse_sensitivity(text_of(bytes), kName);
}

void read_training(Input bytes) {
  static const Checkpoint start = tiny_checkpoint(1);
  formats::read_training(bytes, start, "signature");
}

// The first byte says how the first half of the lines after it is scored against the second.
void score_text(Input bytes) {
  if (bytes.empty()) {
    return;
  }
  std::vector<std::string> lines = formats::split_lines(text_of(bytes.subspan(1)));
  const std::size_t half = lines.size() / 2;
  const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(half);
  const std::vector<std::string> hypotheses(lines.begin(), middle);
  const std::vector<std::string> references(middle, middle + static_cast<std::ptrdiff_t>(half));
  switch (std::to_integer<int>(bytes[0]) % 4) {
    case 0:
      eval::bleu(hypotheses, references);
      break;
    case 1:
      eval::bleu(hypotheses, references, eval::kSacreBleu);
      break;
    case 2:
      eval::bleu(hypotheses, references, {.compound_split = true, .lowercase = true});
      break;
    default:
      eval::rouge_of_lines(hypotheses, references);
  }
}

std::vector<Bytes> text_seeds() {
  const std::string lines = "a b c d .\nThe cat&quot;s\na b c e .\nthe cat 's\n";
  return texts({"0" + lines, "1" + lines, "2" + lines, "3" + lines});
}

// What is above, by name. Archives and streams of torch have one reader; what they begin with
// decides.
constexpr std::array kTargets = {
    FuzzTarget{"pickle", [](Input bytes) { formats::read_pickle(bytes); }, pickle_seeds},
    FuzzTarget{"zip", read_torch, zip_seeds},
    FuzzTarget{"stream", read_torch, stream_seeds},
    FuzzTarget{"safetensors", read_safetensors, safetensors_seeds},
    FuzzTarget{"hdf5", read_hdf5, hdf5_seeds},
    FuzzTarget{"ltz", read_ltz, ltz_seeds},
    FuzzTarget{"payload", read_payload, payload_seeds},
    FuzzTarget{"dictionary", read_dictionary,
               [] {
                 return texts({"the 12\nof 7\n", "a 1\n\xc3\xa9 3\n",
                               "\xEF\xBB\xBFnew york +1_0\r\na -3 #fairseq:overwrite\r\r"});
               }},
    FuzzTarget{"bpe", read_bpe_codes,
               [] {
                 return texts({"#version: 0.2\nt h\nth e</w>\n",
                               "\xEF\xBB\xBF#version:0.2.0 \r\n\xC2\xA0 h\n\n",
                               "t h 12\nth e</w> 3"});
               }},
    FuzzTarget{"sentencepiece", read_sentencepiece, sentencepiece_seeds},
    FuzzTarget{"recipe", read_recipe,
               [] {
                 return texts({"preset = \"paper\"\nbits = 6\n[finetune]\nepochs = 2.5\n",
                               "[[tensor]]\npattern = \"dec*\"\nkeep_float = true\n"});
               }},
    FuzzTarget{"config", read_config,
               [] {
                 return texts({formats::config_text(tiny_checkpoint(1).config),
                               formats::config_text(tiny_language_model(1).config)});
               }},
    FuzzTarget{"args", read_args,
               [] {
                 return texts({R"({"arch": "transformer_multibranch_v2", "encoder_layers": 2,
                   "encoder_kernel_size_list": [3, 7]})",
                               R"({"arch": "lightconv_iwslt_de_en", "encoder_layers": 7})",
                               R"({"arch": "transformer_lm_wiki103", "decoder_layers": 2,
                   "adaptive_softmax_cutoff": "9,99", "adaptive_softmax_factor": 2.5,
                   "tie_adaptive_weights": false, "no_tie_adaptive_proj": true})"});
               }},
    FuzzTarget{"sensitivity", read_sensitivity,
               [] {
                 const formats::SensitivityFile file;
                 const std::string lines = formats::sensitivity_line({"fc1", {}, 0.5, 0.1}) +
                                           formats::sensitivity_line({"fc2", {}, 0.25});
                 return texts({formats::sensitivity_header(file) + lines});
               }},
    FuzzTarget{"training", read_training,
               [] { return std::vector<Bytes>{formats::encode_training({}, "signature")}; }},
    FuzzTarget{"text", score_text, text_seeds},
};

}  // namespace

std::span<const FuzzTarget> fuzz_targets() {
  return kTargets;
}

const FuzzTarget& fuzz_target(std::string_view name) {
  const auto found = std::ranges::find(kTargets, name, &FuzzTarget::name);
  if (found == kTargets.end()) {
    throw ConfigError("no decoder " + std::string(name));
  }
  return *found;
}

void fuzz_one(const FuzzTarget& target, std::span<const std::byte> bytes) {
  try {
    target.read(bytes);
  } catch (const Error&) {
  }
}

}  // namespace ltz::test
