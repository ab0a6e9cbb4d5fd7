#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/pickle.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {

enum class TorchType { kFloat32, kFloat16, kBFloat16, kFloat64, kInt64, kInt32 };

// A tensor of a checkpoint, contiguous whatever its strides were. Exactly one of the arrays is
// used, row-major, one value per element of `shape`; float64 is rounded to float32.
struct TorchTensor {
  TorchType type = TorchType::kFloat32;
  Shape shape;
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
};

// Bytes per element of a storage class such as "torch.FloatStorage", also of those that no tensor
// of a model may have; 0 for a class that is not known.
std::int64_t storage_element_size(std::string_view storage_class);

// A persistent id: ('storage', class, key, location, count) and in streams of torch < 1.6 also None
// or (view key, offset, count), a view into that storage.
struct StorageReference {
  std::string storage_class;
  std::string key;
  std::int64_t count = 0;        // elements of the whole storage
  std::int64_t view_offset = 0;  // in elements, as are the rest
  std::int64_t view_count = 0;

  // Bytes of the whole storage. Throws FormatError for an unknown class or when it overflows.
  std::int64_t byte_count() const;
};

// id: the persistent id's value. Throws FormatError when it is anything else than a storage, or
// when the view does not lie inside.
StorageReference parse_storage_reference(PickleValue id);

// A strided view of a storage. parse_tensor() has checked that every element lies inside
// of the storage and that the number of elements is representable.
struct TensorReference {
  StorageReference storage;
  TorchType type = TorchType::kFloat32;
  std::int64_t offset = 0;  // from the start of the whole storage
  Shape shape;
  Shape strides;
};

// value: the pickled call of _rebuild_tensor, _rebuild_tensor_v2 or _rebuild_parameter.
TensorReference parse_tensor(PickleValue value);

// bytes: the whole storage, little-endian, storage.byte_count() bytes.
TorchTensor decode_tensor(const TensorReference& tensor, std::span<const std::byte> bytes);

// bytes: the elements of the shape one after the other, little-endian, no fewer than it asks for.
TorchTensor decode_contiguous(TorchType type, const Shape& shape, std::span<const std::byte> bytes);

}  // namespace ltz::formats
