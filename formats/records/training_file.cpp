#include "formats/records/training_file.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/hdf5/hdf5.h"
#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

constexpr const char* kVersion = "ltz_training";
constexpr const char* kBestBleu = "best_bleu";  // not there without
constexpr const char* kBest = "best";           // no parameter's name: those have dots

std::string vector_name(const std::string& tensor, std::size_t index) {
  return fmt::format("{}/{}", tensor, index);
}

template <typename Number>
Number number_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  Number value{};
  if (found != file.metadata.end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) {
      return value;
    }
  }
  throw FormatError("expected a number as \"" + key + "\" in the metadata");
}

std::string text_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw FormatError("expected \"" + key + "\" in the metadata");
  }
  return found->second;
}

std::vector<float> floats_of(const SafetensorsView& view, const std::string& name) {
  if (view.dtype != "F32") {
    throw FormatError(name + ": expected F32, found " + view.dtype);
  }
  std::vector<float> values(view.bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] =
        std::bit_cast<float>(get_integer<std::uint32_t>(view.bytes.data() + i * sizeof(float)));
  }
  return values;
}

// Names, types and bytes of the file's tensors, one behind the other.
class Payload {
 public:
  void add(const std::string& name, const char* dtype, std::size_t elements, std::size_t bytes) {
    header_[name] = {
        {"dtype", dtype}, {"shape", {elements}}, {"data_offsets", {offset_, offset_ + bytes}}};
    offset_ += bytes;
  }
  std::string header(const json& metadata) {
    header_[kSafetensorsMetadata] = metadata;
    std::string text = header_.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
  }
  std::size_t size() const { return offset_; }

 private:
  json header_ = json::object();
  std::size_t offset_ = 0;
};

}  // namespace

std::vector<std::byte> encode_training(const compress::FinetuneState& state,
                                       const Checkpoint& start, const std::string& signature) {
  std::vector<std::byte> best;
  if (!state.best.empty()) {
    Checkpoint checkpoint = start;
    checkpoint.tensors = state.best;
    best = encode_hdf5(checkpoint);
  }
  Payload payload;
  for (const auto& [name, vectors] : state.tensors) {
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      payload.add(vector_name(name, i), "F32", vectors[i].size(),
                  vectors[i].size() * sizeof(float));
    }
  }
  payload.add(kBest, "U8", best.size(), best.size());
  std::map<std::string, std::string> metadata = {
      {kVersion, "1"},
      {"signature", signature},
      {"updates", std::to_string(state.updates)},
      {"total", std::to_string(state.total)},
      {"best_nll", fmt::format("{}", state.best_nll)},
      {"evaluations_without_gain", std::to_string(state.evaluations_without_gain)}};
  if (state.best_bleu) {
    metadata.emplace(kBestBleu, fmt::format("{}", *state.best_bleu));
  }
  const std::string header = payload.header(metadata);
  std::vector<std::byte> bytes;
  bytes.reserve(kSafetensorsLengthBytes + header.size() + payload.size());
  put_integer(bytes, static_cast<std::uint64_t>(header.size()));
  put_bytes(bytes, std::as_bytes(std::span(header)));
  for (const auto& [name, vectors] : state.tensors) {
    for (const std::vector<float>& values : vectors) {
      for (const float value : values) {
        put_integer(bytes, std::bit_cast<std::uint32_t>(value));
      }
    }
  }
  put_bytes(bytes, best);
  return bytes;
}

compress::FinetuneState read_training(std::span<const std::byte> bytes, const Checkpoint& start,
                                      const std::string& signature) {
  const SafetensorsFile file = parse_safetensors(bytes);
  if (text_of(file, kVersion) != "1") {
    throw FormatError("expected a training of version 1, found " + text_of(file, kVersion));
  }
  if (const std::string found = text_of(file, "signature"); found != signature) {
    throw ConfigError("this is another training: expected \"" + signature + "\", found \"" + found +
                      "\"");
  }
  compress::FinetuneState state;
  state.updates = number_of<std::int64_t>(file, "updates");
  state.total = number_of<std::int64_t>(file, "total");
  state.best_nll = number_of<double>(file, "best_nll");
  if (file.metadata.contains(kBestBleu)) {
    state.best_bleu = number_of<double>(file, kBestBleu);
  }
  state.evaluations_without_gain = number_of<int>(file, "evaluations_without_gain");
  for (const auto& [name, tensor] : start.tensors) {
    for (std::size_t i = 0;; ++i) {
      const auto found = file.tensors.find(vector_name(name, i));
      if (found == file.tensors.end()) {
        break;
      }
      state.tensors[name].push_back(floats_of(found->second, found->first));
    }
  }
  const auto best = file.tensors.find(kBest);
  if (best == file.tensors.end()) {
    throw FormatError("expected a tensor \"best\"");
  }
  if (!best->second.bytes.empty()) {
    Checkpoint checkpoint = read_hdf5(best->second.bytes, kBest);
    if (!(checkpoint.config == start.config)) {
      throw FormatError("the best model has another configuration");
    }
    state.best = std::move(checkpoint.tensors);
  }
  return state;
}

}  // namespace ltz::formats
