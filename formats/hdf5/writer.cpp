#include <algorithm>
#include <cstdint>
#include <mutex>

#include "formats/bytes/config_json.h"
#include "formats/bytes/float16.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/bytes/word_list.h"
#include "formats/files/file.h"
#include "formats/hdf5/handle.h"
#include "formats/hdf5/hdf5.h"
#include "formats/hdf5/output.h"
#include "model/base/context.h"

namespace ltz::formats {
namespace {

void write_values(hid_t group, const Tensor& tensor, const std::vector<hsize_t>& dims) {
  if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
    write_hdf5_attribute(group, "encoding", "codebook");
    write_hdf5_dataset(group, "codebook", H5T_IEEE_F32LE, {quantized->centroids.size()},
                       quantized->centroids.data());
    write_hdf5_dataset(group, "codes", H5T_STD_U8LE, dims, quantized->codes.data());
    if (!quantized->row_scales.empty()) {
      write_hdf5_dataset(group, "row_scales", H5T_STD_U8LE, {quantized->row_scales.size()},
                         quantized->row_scales.data());
    }
    return;
  }
  const auto& dense = std::get<DenseValues>(tensor.data);
  write_hdf5_attribute(group, "encoding", std::string(to_string(dense.precision)));
  if (dense.precision == Precision::kFloat32) {
    write_hdf5_dataset(group, "values", H5T_IEEE_F32LE, dims, dense.values.data());
    return;
  }
  const bool brain = dense.precision == Precision::kBFloat16;
  std::vector<std::uint16_t> halves(dense.values.size());
  std::ranges::transform(dense.values, halves.begin(), [&](float value) {
    return brain ? *bfloat16_bits(value) : *float16_bits(value);
  });
  // HDF5 has no bfloat16, and numpy no name for one made up: its bits are stored as integers.
  const Hdf5Handle half_type = hdf5_float16();
  write_hdf5_dataset(group, "values", brain ? H5T_STD_U16LE : half_type.id(), dims, halves.data());
}

void write_tensor(hid_t tensors, const std::string& name, const Tensor& tensor) {
  check_tensor(tensor);
  Hdf5Handle group = create_hdf5_group(tensors, name);
  write_hdf5_attribute(group.id(), "shape", H5T_STD_I64LE, {tensor.shape.size()},
                       tensor.shape.data());
  const std::vector<hsize_t> dims(tensor.shape.begin(), tensor.shape.end());
  write_values(group.id(), tensor, dims);
  const auto mask = mask_of(tensor.values());
  if (std::ranges::find(mask, 0) != mask.end()) {
    write_hdf5_dataset(group.id(), "mask", H5T_STD_U8LE, dims, mask.data());
  }
  group.close(name);
}

void write_vocabularies(hid_t file, const Checkpoint& checkpoint) {
  Hdf5Handle group = create_hdf5_group(file, "vocabulary");
  in_context("vocabulary", [&] {
    const bool source = !is_language_model(checkpoint.config);
    if (source) {
      write_hdf5_lines(group.id(), "source", checkpoint.source_vocabulary.words());
    }
    if (source && checkpoint.target_vocabulary == checkpoint.source_vocabulary) {
      checked(H5Lcreate_hard(group.id(), "source", group.id(), "target", H5P_DEFAULT, H5P_DEFAULT),
              "target");
    } else {
      write_hdf5_lines(group.id(), "target", checkpoint.target_vocabulary.words());
    }
  });
  group.close("vocabulary");
}

void write_contents(hid_t file, const Checkpoint& checkpoint, const Provenance& made) {
  write_hdf5_attribute(file, "format", "ltz-checkpoint");
  const std::int64_t version = is_language_model(checkpoint.config) ? 3
                               : checkpoint.sentencepiece.empty()   ? 1
                                                                    : 2;
  write_hdf5_attribute(file, "version", H5T_STD_I64LE, {}, &version);
  write_hdf5_attribute(file, "config", config_text(checkpoint.config));
  if (!made.empty()) {
    write_hdf5_attribute(file, "made", provenance_text(made));
  }
  write_vocabularies(file, checkpoint);
  in_context("merges", [&] { write_hdf5_lines(file, "merges", merge_lines(checkpoint.merges)); });
  if (!checkpoint.sentencepiece.empty()) {
    write_hdf5_dataset(file, "sentencepiece", H5T_STD_U8LE, {checkpoint.sentencepiece.size()},
                       checkpoint.sentencepiece.data());
  }
  Hdf5Handle tensors = create_hdf5_group(file, "tensors");
  for (const auto& [name, tensor] : checkpoint.tensors) {
    in_context("tensor " + name,
               [&, &name = name, &tensor = tensor] { write_tensor(tensors.id(), name, tensor); });
  }
  tensors.close("tensors");
}

}  // namespace

std::vector<std::byte> encode_hdf5(const Checkpoint& checkpoint, const Provenance& made) {
  validate(checkpoint);
  const std::lock_guard alone(hdf5_library());
  const Hdf5ErrorsAreOurs errors_are_ours;
  Hdf5Output output;
  write_contents(output.root(), checkpoint, made);
  return std::move(output).finish();
}

void write_hdf5(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  write_file_atomically(path, encode_hdf5(checkpoint));
}

}  // namespace ltz::formats
