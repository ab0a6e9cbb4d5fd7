#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include "formats/bytes/config_json.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/bytes/word_list.h"
#include "formats/hdf5/child_process.h"
#include "formats/hdf5/handle.h"
#include "formats/hdf5/hdf5.h"
#include "formats/hdf5/image.h"
#include "formats/hdf5/plain_copy.h"
#include "model/base/context.h"

namespace ltz::formats {
namespace {

QuantizedValues read_codebook(Hdf5Image& image, const Hdf5Object& group, const Shape& shape) {
  const Shape levels = image.shape(group, "codebook");
  if (levels.size() != 1 || levels[0] > 256) {
    throw FormatError("codebook: expected at most 256 centroids, found shape " + to_string(levels));
  }
  QuantizedValues quantized{image.floats(group, "codebook", levels),
                            image.bytes(group, "codes", shape)};
  if (group.links.contains("row_scales")) {
    quantized.row_scales = image.bytes(group, "row_scales", {row_count(shape)});
  }
  return quantized;
}

// Without one, the zeros are the mask.
void check_mask(Hdf5Image& image, const Hdf5Object& group, const Tensor& tensor) {
  if (!group.links.contains("mask")) {
    return;
  }
  // The mask of the values, not of the centroids: a small scale may round a small centroid to 0.
  const std::vector<std::uint8_t> expected = mask_of(tensor.values());
  const auto mask = image.bytes(group, "mask", tensor.shape);
  const auto bad = std::ranges::mismatch(mask, expected).in1;
  if (bad != mask.end()) {
    throw FormatError("mask: expected 1 for a kept and 0 for a zero element, found " +
                      std::to_string(*bad) + " at element " + std::to_string(bad - mask.begin()) +
                      " (without a mask, the zeros are taken for it)");
  }
}

Tensor read_tensor(Hdf5Image& image, const Hdf5Object& tensors, const ParameterSpec& spec) {
  const Hdf5Object group = image.group(tensors, spec.name);
  Tensor tensor;
  tensor.shape = image.integers_attribute(group, "shape");
  if (tensor.shape != spec.shape) {
    throw ConfigError("attribute shape: expected " + to_string(spec.shape) + ", found " +
                      to_string(tensor.shape));
  }
  const std::string encoding = image.text_attribute(group, "encoding");
  if (encoding == "codebook") {
    tensor.data = read_codebook(image, group, tensor.shape);
  } else if (encoding == "float32") {
    tensor.data = DenseValues{Precision::kFloat32, image.floats(group, "values", tensor.shape)};
  } else if (encoding == "float16") {
    tensor.data = DenseValues{Precision::kFloat16, image.halves(group, "values", tensor.shape)};
  } else if (encoding == "bfloat16") {
    tensor.data = DenseValues{Precision::kBFloat16, image.bfloat16s(group, "values", tensor.shape)};
  } else {
    throw FormatError(
        "attribute encoding: expected \"float32\", \"float16\", \"bfloat16\" or \"codebook\"");
  }
  check_tensor(tensor);
  check_mask(image, group, tensor);
  return tensor;
}

// The version.
std::int64_t check_header(Hdf5Image& image) {
  if (image.text_attribute(image.root(), "format") != "ltz-checkpoint") {
    throw FormatError("attribute format: expected \"ltz-checkpoint\"");
  }
  const auto version = image.integers_attribute(image.root(), "version");
  if (version.size() != 1 || version[0] < 1) {
    throw FormatError("attribute version: expected 1 to 3");
  }
  if (version[0] > 3) {
    throw FormatError("written by a newer ltz: expected version 1 to 3, found " +
                      std::to_string(version[0]));
  }
  return version[0];
}

Hdf5File read(std::span<const std::byte> bytes) {
  Hdf5Image image(bytes);
  const std::int64_t version = check_header(image);
  Hdf5File file;
  if (image.root().attributes.contains("made")) {
    const std::string made = image.text_attribute(image.root(), "made");
    file.made = in_context("attribute made", [&] { return provenance_from_text(made); });
  }
  Checkpoint& checkpoint = file.checkpoint;
  const std::string config = image.text_attribute(image.root(), "config");
  checkpoint.config = in_context("attribute config", [&] { return config_from_text(config); });
  validate(checkpoint.config);
  if ((version == 3) != is_language_model(checkpoint.config)) {
    throw FormatError("attribute version: expected 3 exactly for a language model, found " +
                      std::to_string(version));
  }
  const Hdf5Object vocabulary = image.group(image.root(), "vocabulary");
  const auto read_words = [&](const char* name) {
    return in_context(std::string("vocabulary/") + name,
                      [&] { return Vocabulary(image.lines(vocabulary, name)); });
  };
  if (!is_language_model(checkpoint.config)) {
    checkpoint.source_vocabulary = read_words("source");
  }
  checkpoint.target_vocabulary = read_words("target");
  checkpoint.merges = merges_from_lines(image.lines(image.root(), "merges"));
  if (version == 2 || image.root().links.contains("sentencepiece")) {
    const Shape shape = image.shape(image.root(), "sentencepiece");
    const auto model = image.bytes(image.root(), "sentencepiece", shape);
    checkpoint.sentencepiece.assign(model.begin(), model.end());
  }
  const Hdf5Object tensors = image.group(image.root(), "tensors");
  const std::uint64_t found = tensors.links.size();
  in_context("tensors", [&] { require_tensors_for_layers(checkpoint.config, found); });
  const auto specs = parameter_specs(checkpoint.config);
  for (const ParameterSpec& spec : specs) {
    checkpoint.tensors[spec.name] =
        in_context("tensor " + spec.name, [&] { return read_tensor(image, tensors, spec); });
  }
  if (found != specs.size()) {
    throw FormatError("tensors: expected the " + std::to_string(specs.size()) +
                      " of the configuration, found " + std::to_string(found));
  }
  validate(checkpoint);
  return file;
}

// For a file of so many bytes. HDF5.md promises these numbers.
ChildLimits limits_for(std::uint64_t size) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const std::uint64_t answer = std::min(64 * kMiB + 64 * size, 4096 * kMiB);
  return {.memory = 256 * kMiB + 4 * answer,
          .answer = answer,
          .time = std::chrono::seconds(3) + std::chrono::milliseconds(1000 * size / kMiB)};
}

// Of what is not in the plain layout.
std::vector<std::byte> plain_copy(std::span<const std::byte> bytes) {
  const ChildLimits limits = limits_for(bytes.size());
  const auto copy = [&] { return plain_copy_of_hdf5(bytes, limits.answer); };
  const auto start = [&] {
    const std::lock_guard alone(hdf5_library());
    return ChildProcess(copy, limits);
  };
  ChildProcess child = start();
  return child.answer();
}

Hdf5File read_plain(std::span<const std::byte> bytes) {
  try {
    return read(bytes);
  } catch (const Hdf5OtherLayout& other) {
    throw FormatError(std::string("expected the plain layout, found ") + other.what());
  }
}

}  // namespace

bool is_hdf5(std::span<const std::byte> bytes) {
  constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
  constexpr std::size_t kSmallestUserBlock = 512;
  for (std::size_t at = 0; at < bytes.size(); at = std::max(2 * at, kSmallestUserBlock)) {
    const auto front = bytes.subspan(at).first(std::min(kSignature.size(), bytes.size() - at));
    if (std::ranges::equal(kSignature, front, {}, {}, std::to_integer<std::uint8_t>)) {
      return true;
    }
  }
  return false;
}

Hdf5File read_hdf5(std::span<const std::byte> bytes, const std::string& name) {
  return in_context(name, [&] {
    if (!is_hdf5(bytes)) {
      throw FormatError("expected an HDF5 file");
    }
    try {
      return read(bytes);
    } catch (const Hdf5OtherLayout&) {
      return read_plain(plain_copy(bytes));
    }
  });
}

Checkpoint decode_hdf5(std::span<const std::byte> bytes, const std::string& name) {
  return read_hdf5(bytes, name).checkpoint;
}

Hdf5File read_plain_hdf5(std::span<const std::byte> bytes, const std::string& name) {
  return in_context(name, [&] {
    if (!is_hdf5(bytes)) {
      throw FormatError("expected an HDF5 file");
    }
    return read_plain(bytes);
  });
}

}  // namespace ltz::formats
