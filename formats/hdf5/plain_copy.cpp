#include "formats/hdf5/plain_copy.h"

#include <bit>
#include <cstdint>
#include <string>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"
#include "formats/hdf5/input.h"
#include "formats/hdf5/lzf.h"
#include "formats/hdf5/output.h"
#include "model/base/context.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {
namespace {

void copy_text(Hdf5Input& in, hid_t from, hid_t to, const char* name) {
  if (const auto text = in.text(from, name)) {
    write_hdf5_attribute(to, name, *text);
  }
}

void copy_integers(Hdf5Input& in, hid_t from, hid_t to, const char* name) {
  if (const auto values = in.integers(from, name)) {
    write_hdf5_attribute(to, name, H5T_STD_I64LE, {values->size()}, values->data());
  }
}

void copy_lines(Hdf5Input& in, hid_t from, hid_t to, const char* name) {
  if (const auto dataset = in.dataset(from, name)) {
    write_hdf5_lines(to, name, in.lines(dataset->id(), name));
  }
}

// Integers of any width, and truth values.
void copy_integers(Hdf5Input& in, hid_t from, hid_t to, const char* name, hid_t type,
                   const char* type_name) {
  const auto dataset = in.dataset(from, name);
  if (!dataset) {
    return;
  }
  const Hdf5Handle found(H5Dget_type(dataset->id()), H5Tclose, name);
  const H5T_class_t kind = H5Tget_class(found.id());
  if (kind != H5T_INTEGER && kind != H5T_ENUM) {
    throw FormatError(std::string(name) + ": expected elements of type " + type_name +
                      " or other integers");
  }
  const auto values = in.elements(dataset->id(), type, name);
  write_hdf5_dataset(to, name, type, hdf5_dims(dataset->id()), values.data());
}

using Bytes = std::vector<std::byte>;

// What the library has for these takes long.
Bytes float32_of_halves(const Bytes& halves) {
  Bytes values;
  for (std::size_t i = 0; i < halves.size(); i += 2) {
    const float value = float16_value(get_integer<std::uint16_t>(halves.data() + i));
    put_integer(values, std::bit_cast<std::uint32_t>(value));
  }
  return values;
}

Bytes nearest_halves(const Bytes& values) {
  Bytes halves;
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const auto value = std::bit_cast<float>(get_integer<std::uint32_t>(values.data() + i));
    const auto bits = float16_bits(round_to_float16(value));
    if (!bits) {
      throw FormatError("expected finite values, found nan at element " + std::to_string(i / 4));
    }
    put_integer(halves, *bits);
  }
  return halves;
}

// Floats of any width, as float32 or float16: the nearest.
void copy_floats(Hdf5Input& in, hid_t from, hid_t to, const char* name, Precision precision) {
  const auto dataset = in.dataset(from, name);
  if (!dataset) {
    return;
  }
  const bool want_halves = precision == Precision::kFloat16;
  const Hdf5Handle found(H5Dget_type(dataset->id()), H5Tclose, name);
  if (H5Tget_class(found.id()) != H5T_FLOAT) {
    throw FormatError(std::string(name) + ": expected elements of type " +
                      std::string(to_string(precision)) + " or other floats");
  }
  const Hdf5Handle half_type = hdf5_float16();
  const bool has_halves = H5Tget_size(found.id()) == 2;
  Bytes values = in.elements(dataset->id(), has_halves ? half_type.id() : H5T_IEEE_F32LE, name);
  if (has_halves != want_halves) {
    values = in_context(
        name, [&] { return want_halves ? nearest_halves(values) : float32_of_halves(values); });
  }
  write_hdf5_dataset(to, name, want_halves ? half_type.id() : H5T_IEEE_F32LE,
                     hdf5_dims(dataset->id()), values.data());
}

void copy_tensor(Hdf5Input& in, hid_t from, hid_t to) {
  copy_integers(in, from, to, "shape");
  copy_text(in, from, to, "encoding");
  const std::string encoding = in.text(from, "encoding").value_or("");
  if (encoding == "bfloat16") {
    copy_integers(in, from, to, "values", H5T_STD_U16LE, "uint16 (the bits of bfloat16)");
  } else if (encoding == "codebook") {
    copy_floats(in, from, to, "codebook", Precision::kFloat32);
    copy_integers(in, from, to, "codes", H5T_STD_U8LE, "uint8");
    copy_integers(in, from, to, "row_scales", H5T_STD_U8LE, "uint8");
  } else {
    copy_floats(in, from, to, "values",
                encoding == "float16" ? Precision::kFloat16 : Precision::kFloat32);
  }
  copy_integers(in, from, to, "mask", H5T_STD_U8LE, "uint8");
}

void copy_vocabularies(Hdf5Input& in, hid_t to) {
  if (const auto from = in.group(in.root(), "vocabulary")) {
    const Hdf5Handle copy = create_hdf5_group(to, "vocabulary");
    in_context("vocabulary", [&] {
      copy_lines(in, from->id(), copy.id(), "source");
      copy_lines(in, from->id(), copy.id(), "target");
    });
  }
}

void copy_tensors(Hdf5Input& in, hid_t to) {
  const auto from = in.group(in.root(), "tensors");
  if (!from) {
    return;
  }
  const Hdf5Handle copy = create_hdf5_group(to, "tensors");
  for (const std::string& name : in.names(from->id())) {
    in_context("tensor " + name, [&] {
      if (const auto tensor = in.group(from->id(), name)) {
        const Hdf5Handle tensor_copy = create_hdf5_group(copy.id(), name);
        copy_tensor(in, tensor->id(), tensor_copy.id());
      }
    });
  }
}

}  // namespace

std::vector<std::byte> plain_copy_of_hdf5(std::span<const std::byte> bytes, std::size_t max_size) {
  // No filter is loaded from files.
  H5PLset_loading_state(0);
  register_lzf_with_hdf5();
  const Hdf5ErrorsAreOurs errors_are_ours;
  Hdf5Input in(bytes, max_size);
  Hdf5Output out(max_size);
  copy_text(in, in.root(), out.root(), "format");
  copy_integers(in, in.root(), out.root(), "version");
  copy_text(in, in.root(), out.root(), "config");
  copy_text(in, in.root(), out.root(), "made");
  copy_vocabularies(in, out.root());
  copy_lines(in, in.root(), out.root(), "merges");
  copy_integers(in, in.root(), out.root(), "sentencepiece", H5T_STD_U8LE, "uint8");
  copy_tensors(in, out.root());
  return std::move(out).finish();
}

}  // namespace ltz::formats
