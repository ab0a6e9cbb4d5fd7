#include "formats/records/training_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/fairseq/fairseq.h"
#include "formats/safetensors/safetensors.h"
#include "formats/safetensors/values.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr const char* kVersionKey = "ltz_training";
constexpr const char* kVersion = "2";           // 1 had the best model as an .h5
constexpr const char* kBestBleu = "best_bleu";  // not there without

// Names of the vectors; names of tensors have dots and no slashes.
std::string vector_name(const std::string& tensor, std::size_t index) {
  return fmt::format("{}/{}", tensor, index);
}
std::string best_name(const std::string& tensor, std::string_view part) {
  return fmt::format("best/{}/{}", tensor, part);
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

// The vectors of a file, which keeps only views.
class Vectors {
 public:
  void add_floats(const std::string& name, std::span<const float> values) {
    add(name, {static_cast<std::int64_t>(values.size())}, values, Precision::kFloat32);
  }

  void add_best(const std::string& name, const Tensor& tensor) {
    if (const auto* dense = std::get_if<DenseValues>(&tensor.data)) {
      add(best_name(name, "values"), tensor.shape, dense->values, dense->precision);
      return;
    }
    const auto& quantized = std::get<QuantizedValues>(tensor.data);
    add_floats(best_name(name, "centroids"), quantized.centroids);
    file_.tensors[best_name(name, "codes")] = {"U8", tensor.shape,
                                               std::as_bytes(std::span(quantized.codes))};
    if (!quantized.row_scales.empty()) {
      file_.tensors[best_name(name, "row_scales")] = {
          "U8",
          {static_cast<std::int64_t>(quantized.row_scales.size())},
          std::as_bytes(std::span(quantized.row_scales))};
    }
  }

  std::vector<std::byte> file(std::map<std::string, std::string> metadata) {
    file_.metadata = std::move(metadata);
    return encode_safetensors(file_);
  }

 private:
  void add(const std::string& name, const Shape& shape, std::span<const float> values,
           Precision precision) {
    std::vector<std::byte>& bytes = owned_.emplace_back();
    put_values(bytes, values, precision);
    file_.tensors[name] = {dtype_of(precision), shape, bytes};
  }

  SafetensorsFile file_;
  std::deque<std::vector<std::byte>> owned_;
};

const SafetensorsView* find(const SafetensorsFile& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  return found == file.tensors.end() ? nullptr : &found->second;
}

std::vector<std::uint8_t> codes_of(const SafetensorsView& view, const std::string& name) {
  if (view.dtype != "U8") {
    throw FormatError(name + ": expected U8, found " + view.dtype);
  }
  std::vector<std::uint8_t> codes(view.bytes.size());
  std::ranges::transform(view.bytes, codes.begin(), std::to_integer<std::uint8_t>);
  return codes;
}

// Nothing if the file has no such tensor.
std::optional<Tensor> best_tensor(const SafetensorsFile& file, const std::string& name) {
  if (const auto* values = find(file, best_name(name, "values"))) {
    return tensor_from_torch(name, decode_view(name, *values));
  }
  const auto* centroids = find(file, best_name(name, "centroids"));
  const auto* codes = find(file, best_name(name, "codes"));
  if (centroids == nullptr || codes == nullptr) {
    return std::nullopt;
  }
  QuantizedValues quantized{.centroids = floats_of(*centroids, best_name(name, "centroids")),
                            .codes = codes_of(*codes, best_name(name, "codes"))};
  if (const auto* scales = find(file, best_name(name, "row_scales"))) {
    quantized.row_scales = codes_of(*scales, best_name(name, "row_scales"));
  }
  return Tensor{codes->shape, std::move(quantized)};
}

// Nothing if there is none yet.
std::map<std::string, Tensor> read_best(const SafetensorsFile& file, const Checkpoint& start) {
  Checkpoint best = start;
  best.tensors.clear();
  for (const auto& [name, tensor] : start.tensors) {
    if (std::optional<Tensor> found = best_tensor(file, name)) {
      in_context("best model: tensor " + name, [&] { check_tensor(*found); });
      best.tensors.emplace(name, std::move(*found));
    }
  }
  if (!best.tensors.empty()) {
    in_context("best model", [&] { validate(best); });
  }
  return std::move(best.tensors);
}

}  // namespace

std::vector<std::byte> encode_training(const compress::FinetuneState& state,
                                       const std::string& signature) {
  Vectors vectors;
  for (const auto& [name, state_vectors] : state.tensors) {
    for (std::size_t i = 0; i < state_vectors.size(); ++i) {
      vectors.add_floats(vector_name(name, i), state_vectors[i]);
    }
  }
  for (const auto& [name, tensor] : state.best) {
    vectors.add_best(name, tensor);
  }
  std::map<std::string, std::string> metadata = {
      {kVersionKey, kVersion},
      {"signature", signature},
      {"updates", std::to_string(state.updates)},
      {"total", std::to_string(state.total)},
      {"best_nll", fmt::format("{}", state.best_nll)},
      {"evaluations_without_gain", std::to_string(state.evaluations_without_gain)}};
  if (state.best_bleu) {
    metadata.emplace(kBestBleu, fmt::format("{}", *state.best_bleu));
  }
  return vectors.file(std::move(metadata));
}

compress::FinetuneState read_training(std::span<const std::byte> bytes, const Checkpoint& start,
                                      const std::string& signature) {
  const SafetensorsFile file = parse_safetensors(bytes);
  if (const std::string found = text_of(file, kVersionKey); found != kVersion) {
    throw FormatError(
        fmt::format("expected a training of version {}, found {}: begin it anew", kVersion, found));
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
      const SafetensorsView* found = find(file, vector_name(name, i));
      if (found == nullptr) {
        break;
      }
      state.tensors[name].push_back(floats_of(*found, vector_name(name, i)));
    }
  }
  state.best = read_best(file, start);
  return state;
}

}  // namespace ltz::formats
