#include "formats/torch/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "formats/bytes/bytes.h"
#include "formats/bytes/checked.h"
#include "formats/bytes/float16.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

struct StorageClass {
  std::string_view name;
  std::int64_t element_size;
  std::optional<TorchType> type;  // none: nothing that a weight could be
};

constexpr StorageClass kStorageClasses[] = {
    {"FloatStorage", 4, TorchType::kFloat32},
    {"HalfStorage", 2, TorchType::kFloat16},
    {"BFloat16Storage", 2, TorchType::kBFloat16},
    {"DoubleStorage", 8, TorchType::kFloat64},
    {"LongStorage", 8, TorchType::kInt64},
    {"IntStorage", 4, TorchType::kInt32},
    {"ShortStorage", 2, std::nullopt},
    {"CharStorage", 1, std::nullopt},
    {"ByteStorage", 1, std::nullopt},
    {"BoolStorage", 1, std::nullopt},
    {"ComplexFloatStorage", 8, std::nullopt},
    {"ComplexDoubleStorage", 16, std::nullopt},
    {"QUInt8Storage", 1, std::nullopt},
    {"QInt8Storage", 1, std::nullopt},
    {"QInt32Storage", 4, std::nullopt},
};

const StorageClass* find_storage_class(std::string_view name) {
  for (const std::string_view module : {"torch.cuda.", "torch."}) {
    if (name.starts_with(module)) {
      name.remove_prefix(module.size());
      break;
    }
  }
  for (const StorageClass& known : kStorageClasses) {
    if (known.name == name) {
      return &known;
    }
  }
  return nullptr;
}

std::int64_t element_size(TorchType type) {
  return std::ranges::find(kStorageClasses, std::optional(type), &StorageClass::type)->element_size;
}

// A tuple of integers; torch.Size(tuple) counts as one.
Shape parse_dimensions(PickleValue value) {
  if (value.is_call_of("torch.Size")) {
    value = value.arguments().item(0);
  }
  // torch itself refuses tensors of more than 64 dimensions.
  if (value.size() > 64) {
    throw FormatError(fmt::format("expected at most 64 dimensions, found {}", value.size()));
  }
  Shape dimensions;
  for (std::size_t i = 0; i < value.size(); ++i) {
    dimensions.push_back(value.item(i).as_integer());
  }
  return dimensions;
}

void require_inside(const TensorReference& tensor, std::int64_t view_offset) {
  if (tensor.shape.size() != tensor.strides.size()) {
    throw FormatError(
        fmt::format("expected {} strides, found {}", tensor.shape.size(), tensor.strides.size()));
  }
  const std::int64_t count = element_count(tensor.shape);
  std::int64_t last = view_offset;  // the element furthest from the start
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.strides[i] < 0) {
      throw FormatError(fmt::format("negative stride in {}", ltz::to_string(tensor.strides)));
    }
    if (count > 0) {
      last = checked_add(last, checked_multiply(tensor.shape[i] - 1, tensor.strides[i]));
    }
  }
  if (view_offset < 0 || last > tensor.storage.view_count ||
      (count > 0 && last == tensor.storage.view_count)) {
    throw FormatError(fmt::format(
        "shape {} with strides {} at element {} lies outside of its storage of {} elements",
        ltz::to_string(tensor.shape), ltz::to_string(tensor.strides), view_offset,
        tensor.storage.view_count));
  }
}

float load_float(TorchType type, const std::byte* bytes) {
  switch (type) {
    case TorchType::kFloat32:
      return std::bit_cast<float>(get_integer<std::uint32_t>(bytes));
    case TorchType::kFloat16:
      return float16_value(get_integer<std::uint16_t>(bytes));
    case TorchType::kBFloat16:
      return bfloat16_value(get_integer<std::uint16_t>(bytes));
    default:
      return static_cast<float>(std::bit_cast<double>(get_integer<std::uint64_t>(bytes)));
  }
}

std::int64_t load_integer(TorchType type, const std::byte* bytes) {
  if (type == TorchType::kInt64) {
    return static_cast<std::int64_t>(get_integer<std::uint64_t>(bytes));
  }
  return static_cast<std::int32_t>(get_integer<std::uint32_t>(bytes));
}

// Calls use(position in the storage) for each of `count` elements, the last dimension fastest.
template <typename Use>
void for_each_position(const TensorReference& tensor, std::int64_t count, Use use) {
  Shape index(tensor.shape.size(), 0);
  std::int64_t position = tensor.offset;
  for (std::int64_t i = 0; i < count; ++i) {
    use(position);
    for (std::size_t d = index.size(); d-- > 0;) {
      position += tensor.strides[d];
      if (++index[d] < tensor.shape[d]) {
        break;
      }
      position -= tensor.strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
}

// Decodes the element at each position that for_each(use) calls use(position) with.
template <typename ForEach>
TorchTensor decode(TorchType type, const Shape& shape, std::span<const std::byte> bytes,
                   ForEach for_each) {
  const std::int64_t size = element_size(type);
  const auto count = static_cast<std::size_t>(element_count(shape));
  TorchTensor out{type, shape, {}, {}};
  if (type == TorchType::kInt64 || type == TorchType::kInt32) {
    out.integers.reserve(count);
    for_each([&](std::int64_t position) {
      out.integers.push_back(load_integer(type, bytes.data() + position * size));
    });
  } else {
    out.floats.reserve(count);
    for_each([&](std::int64_t position) {
      out.floats.push_back(load_float(type, bytes.data() + position * size));
    });
  }
  return out;
}

}  // namespace

std::int64_t storage_element_size(std::string_view storage_class) {
  const StorageClass* known = find_storage_class(storage_class);
  return known == nullptr ? 0 : known->element_size;
}

std::int64_t StorageReference::byte_count() const {
  const std::int64_t size = storage_element_size(storage_class);
  if (size == 0) {
    throw FormatError(fmt::format("storage {} is of the unknown class {}", key, storage_class));
  }
  return checked_multiply(count, size);
}

StorageReference parse_storage_reference(PickleValue id) {
  if (!id.is(PickleType::kTuple) || id.size() < 5 || id.size() > 6 ||
      !id.item(0).is(PickleType::kString) || id.item(0).as_string() != "storage") {
    throw FormatError("expected the persistent id of a storage");
  }
  StorageReference storage;
  storage.storage_class = id.item(1).symbol();
  storage.key = id.item(2).as_string();
  storage.count = id.item(4).as_integer();
  storage.view_count = storage.count;
  if (storage.count < 0) {
    throw FormatError(fmt::format("storage {} has {} elements", storage.key, storage.count));
  }
  if (id.size() == 6 && !id.item(5).is(PickleType::kNone)) {
    storage.view_offset = id.item(5).item(1).as_integer();
    storage.view_count = id.item(5).item(2).as_integer();
    if (storage.view_offset < 0 || storage.view_count < 0 ||
        checked_add(storage.view_offset, storage.view_count) > storage.count) {
      throw FormatError(fmt::format("a view of {} elements at {} lies outside of storage {} of {}",
                                    storage.view_count, storage.view_offset, storage.key,
                                    storage.count));
    }
  }
  return storage;
}

TensorReference parse_tensor(PickleValue value) {
  if (value.is_call_of("torch._utils._rebuild_parameter")) {
    value = value.arguments().item(0);
  }
  if (!value.is_call_of("torch._utils._rebuild_tensor_v2") &&
      !value.is_call_of("torch._utils._rebuild_tensor")) {
    const bool call = value.is(PickleType::kObject) && value.callable().is(PickleType::kSymbol);
    throw FormatError(fmt::format("expected a tensor, found {}",
                                  call ? value.callable().symbol() : to_string(value.type())));
  }
  const PickleValue arguments = value.arguments();
  TensorReference tensor;
  tensor.storage = parse_storage_reference(arguments.item(0).persistent_id());
  const StorageClass* known = find_storage_class(tensor.storage.storage_class);
  if (known == nullptr || !known->type) {
    throw FormatError(
        fmt::format("expected a Float, Half, BFloat16, Double, Long or Int storage, found {}",
                    tensor.storage.storage_class));
  }
  tensor.type = *known->type;
  const std::int64_t view_offset = arguments.item(1).as_integer();
  tensor.shape = parse_dimensions(arguments.item(2));
  tensor.strides = parse_dimensions(arguments.item(3));
  require_inside(tensor, view_offset);
  tensor.offset = tensor.storage.view_offset + view_offset;
  return tensor;
}

TorchTensor decode_tensor(const TensorReference& tensor, std::span<const std::byte> bytes) {
  const std::int64_t count = element_count(tensor.shape);
  return decode(tensor.type, tensor.shape, bytes,
                [&](auto use) { for_each_position(tensor, count, use); });
}

TorchTensor decode_contiguous(TorchType type, const Shape& shape,
                              std::span<const std::byte> bytes) {
  const std::int64_t count = element_count(shape);
  return decode(type, shape, bytes, [&](auto use) {
    for (std::int64_t position = 0; position < count; ++position) {
      use(position);
    }
  });
}

}  // namespace ltz::formats
