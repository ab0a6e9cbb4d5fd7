#include "formats/onnx/parameters.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"

namespace ltz::formats {
namespace {

// elements: (rows, columns) -> (columns, rows)
template <typename Element>
std::vector<Element> transpose(std::span<const Element> elements, std::int64_t rows) {
  const auto height = static_cast<std::size_t>(rows);
  const std::size_t width = elements.size() / height;
  std::vector<Element> result(elements.size());
  for (std::size_t i = 0; i < height; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      result[j * height + i] = elements[i * width + j];
    }
  }
  return result;
}

OnnxTensor bytes_tensor(Shape shape, std::span<const std::uint8_t> values) {
  const auto bytes = std::as_bytes(values);
  return {OnnxType::kUint8, std::move(shape), {bytes.begin(), bytes.end()}};
}

OnnxTensor floats_tensor(Shape shape, std::span<const float> values, Precision precision) {
  if (precision != Precision::kFloat16) {
    return onnx_floats(std::move(shape), values);
  }
  OnnxTensor tensor{OnnxType::kFloat16, std::move(shape), {}};
  tensor.bytes.reserve(2 * values.size());
  for (const float value : values) {
    put_integer(tensor.bytes, float16_bits(value).value());
  }
  return tensor;
}

// One for each row, to be multiplied with elements of this shape.
Shape shape_of_rows(Shape shape) {
  if (!shape.empty()) {
    shape.back() = 1;
  }
  return shape;
}

}  // namespace

OnnxParameters::OnnxParameters(const Checkpoint& checkpoint, OnnxGraph& graph, OnnxFiles* files,
                               bool sparse)
    : checkpoint_(checkpoint), graph_(graph), files_(files), sparse_(sparse) {
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (files != nullptr && spec.role == Role::kTable) {
      tables_.insert(spec.name);
    }
  }
}

OnnxParameters::Stored OnnxParameters::store(const std::string& name, Layout layout) {
  const Tensor& tensor = checkpoint_.tensors.at(name);
  const bool transposed = layout == Layout::kTransposed;
  const std::string constant = transposed ? name + ".transposed" : name;
  Shape shape = tensor.shape;
  Shape scales_shape = shape_of_rows(shape);
  if (transposed) {
    std::ranges::reverse(shape);
    std::ranges::reverse(scales_shape);
  }
  const auto arrange = [&]<typename Element>(const std::vector<Element>& elements) {
    return transposed ? transpose(std::span(elements), tensor.shape.front()) : elements;
  };
  const auto keep = [&](const OnnxTensor& elements) {
    if (!tables_.contains(name)) {
      return sparse_ && shape.size() == 2 && elements.type != OnnxType::kUint8
                 ? graph_.sparse_constant(constant, elements)
                 : graph_.constant(constant, elements);
    }
    const std::string file = constant + ".bin";
    files_->try_emplace(file, elements.bytes);
    return graph_.constant_in_file(constant, elements, file);
  };
  if (const auto* dense = std::get_if<DenseValues>(&tensor.data)) {
    const OnnxTensor elements = floats_tensor(shape, arrange(dense->values), dense->precision);
    return {.type = elements.type, .elements = keep(elements)};
  }
  const auto& quantized = std::get<QuantizedValues>(tensor.data);
  Stored stored{.type = OnnxType::kUint8,
                .elements = keep(bytes_tensor(shape, arrange(quantized.codes)))};
  const auto centroids = static_cast<std::int64_t>(quantized.centroids.size());
  stored.codebook =
      graph_.constant(constant + ".codebook", onnx_floats({centroids}, quantized.centroids));
  if (!quantized.row_scales.empty()) {
    stored.row_scales =
        graph_.constant(constant + ".row_scales", bytes_tensor(scales_shape, quantized.row_scales));
  }
  return stored;
}

OnnxParameters::Stored& OnnxParameters::stored(const std::string& name, Layout layout) {
  const std::pair key(name, layout);
  const auto known = stored_.find(key);
  return known != stored_.end() ? known->second
                                : stored_.emplace(key, store(name, layout)).first->second;
}

OnnxValue OnnxParameters::scale_table() {
  if (scale_table_.empty()) {
    std::array<float, 256> scales;
    for (std::size_t code = 0; code < scales.size(); ++code) {
      scales[code] = row_scale(static_cast<std::uint8_t>(code));
    }
    scale_table_ = graph_.constant("row_scales", onnx_floats({256}, scales));
  }
  return scale_table_;
}

OnnxValue OnnxParameters::look_up(const OnnxValue& table, const OnnxValue& codes) {
  const OnnxValue indices =
      graph_.apply("Cast", {codes}, {{"to", onnx_data_type(OnnxType::kInt32)}});
  return graph_.apply("Gather", {table, indices});
}

OnnxValue OnnxParameters::decode(Stored& stored, const OnnxValue& elements,
                                 const OnnxValue& row_scales) {
  if (stored.type == OnnxType::kFloat32) {
    return elements;
  }
  OnnxValue& made = stored.made[elements];
  if (made.empty() && stored.type == OnnxType::kFloat16) {
    made = graph_.apply("Cast", {elements}, {{"to", onnx_data_type(OnnxType::kFloat32)}});
  } else if (made.empty()) {
    made = look_up(stored.codebook, elements);
    if (!row_scales.empty()) {
      made = graph_.apply("Mul", {made, look_up(scale_table(), row_scales)});
    }
  }
  return made;
}

OnnxValue OnnxParameters::whole(const std::string& name) {
  Stored& tensor = stored(name, Layout::kAsIs);
  return decode(tensor, tensor.elements, tensor.row_scales);
}

OnnxValue OnnxParameters::transposed(const std::string& name) {
  Stored& tensor = stored(name, Layout::kTransposed);
  return decode(tensor, tensor.elements, tensor.row_scales);
}

OnnxValue OnnxParameters::rows(const std::string& name, const OnnxValue& indices) {
  Stored& tensor = stored(name, Layout::kAsIs);
  const auto pick = [&](const OnnxValue& of) {
    return of.empty() ? of : graph_.apply("Gather", {of, indices});
  };
  return decode(tensor, pick(tensor.elements), pick(tensor.row_scales));
}

}  // namespace ltz::formats
