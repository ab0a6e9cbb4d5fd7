#include "formats/onnx/graph.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "formats/bytes/bytes.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

void describe(const OnnxPort& port, onnx::ValueInfoProto& info) {
  info.set_name(port.name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<std::int32_t>(onnx_data_type(port.type)));
  auto& shape = *tensor.mutable_shape();
  for (const OnnxDimension& dimension : port.shape) {
    auto& added = *shape.add_dim();
    if (const auto* length = std::get_if<std::int64_t>(&dimension)) {
      added.set_dim_value(*length);
    } else {
      added.set_dim_param(std::get<std::string>(dimension));
    }
  }
}

void set_attribute(const std::string& name, const OnnxAttribute& value,
                   onnx::AttributeProto& attribute) {
  attribute.set_name(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(*integer);
  } else if (const auto* number = std::get_if<float>(&value)) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(*number);
  } else {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t element : std::get<std::vector<std::int64_t>>(value)) {
      attribute.add_ints(element);
    }
  }
}

// The oldest version of the file format that goes with an opset (ONNX's table of versions).
int ir_version(int opset) {
  return opset <= 14 ? 7 : 8;
}

// Everything but its elements.
void describe(const std::string& name, const OnnxTensor& tensor, onnx::TensorProto& described) {
  described.set_name(name);
  described.set_data_type(static_cast<std::int32_t>(onnx_data_type(tensor.type)));
  for (const std::int64_t length : tensor.shape) {
    described.add_dims(length);
  }
}

}  // namespace

std::int64_t onnx_data_type(OnnxType type) {
  switch (type) {
    case OnnxType::kFloat32:
      return onnx::TensorProto::FLOAT;
    case OnnxType::kFloat16:
      return onnx::TensorProto::FLOAT16;
    case OnnxType::kUint8:
      return onnx::TensorProto::UINT8;
    case OnnxType::kInt32:
      return onnx::TensorProto::INT32;
    case OnnxType::kInt64:
      return onnx::TensorProto::INT64;
  }
  return onnx::TensorProto::UNDEFINED;
}

OnnxTensor onnx_floats(Shape shape, std::span<const float> values) {
  OnnxTensor tensor{OnnxType::kFloat32, std::move(shape), {}};
  tensor.bytes.reserve(4 * values.size());
  for (const float value : values) {
    put_integer(tensor.bytes, std::bit_cast<std::uint32_t>(value));
  }
  return tensor;
}

OnnxTensor onnx_integers(Shape shape, std::span<const std::int64_t> values) {
  OnnxTensor tensor{OnnxType::kInt64, std::move(shape), {}};
  for (const std::int64_t value : values) {
    put_integer(tensor.bytes, static_cast<std::uint64_t>(value));
  }
  return tensor;
}

OnnxGraph::OnnxGraph(const std::string& name, int opset)
    : opset_(opset), model_(std::make_unique<onnx::ModelProto>()) {
  model_->set_ir_version(ir_version(opset));
  model_->set_producer_name("ltz");
  model_->add_opset_import()->set_version(opset);
  graph().set_name(name);
}

OnnxGraph::~OnnxGraph() = default;

onnx::GraphProto& OnnxGraph::graph() {
  return *model_->mutable_graph();
}

OnnxValue OnnxGraph::input(const OnnxPort& port) {
  describe(port, *graph().add_input());
  return port.name;
}

void OnnxGraph::output(const OnnxValue& value, const OnnxPort& port) {
  describe(port, *graph().add_output());
  for (onnx::NodeProto& node : *graph().mutable_node()) {
    for (std::string& name : *node.mutable_input()) {
      if (name == value) {
        name = port.name;
      }
    }
    for (std::string& name : *node.mutable_output()) {
      if (name == value) {
        name = port.name;
      }
    }
  }
}

OnnxValue OnnxGraph::apply(std::string_view op, std::vector<OnnxValue> inputs,
                           const OnnxAttributes& attributes) {
  return apply(op, std::move(inputs), attributes, 1).front();
}

std::vector<OnnxValue> OnnxGraph::apply(std::string_view op, std::vector<OnnxValue> inputs,
                                        const OnnxAttributes& attributes, std::size_t results) {
  onnx::NodeProto& node = *graph().add_node();
  node.set_op_type(std::string(op));
  node.set_name(fmt::format("{}/{}_{}", prefix_, op, values_));
  for (OnnxValue& input : inputs) {
    node.add_input(std::move(input));
  }
  for (const auto& [name, value] : attributes) {
    set_attribute(name, value, *node.add_attribute());
  }
  std::vector<OnnxValue> outputs;
  for (std::size_t i = 0; i < results; ++i) {
    outputs.push_back(std::to_string(values_++));
    node.add_output(outputs.back());
  }
  return outputs;
}

onnx::TensorProto& OnnxGraph::add_constant(const std::string& name, const OnnxTensor& tensor) {
  onnx::TensorProto& added = *graph().add_initializer();
  describe(name, tensor, added);
  return added;
}

OnnxValue OnnxGraph::constant(const std::string& name, const OnnxTensor& tensor) {
  add_constant(name, tensor).set_raw_data(tensor.bytes.data(), tensor.bytes.size());
  return name;
}

OnnxValue OnnxGraph::sparse_constant(const std::string& name, const OnnxTensor& tensor) {
  const auto count = static_cast<std::size_t>(element_count(tensor.shape));
  const std::size_t width = count == 0 ? 0 : tensor.bytes.size() / count;
  std::string values;
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < count; ++i) {
    const auto element = std::span(tensor.bytes).subspan(i * width, width);
    if (std::ranges::any_of(element, [](std::byte byte) { return byte != std::byte{0}; })) {
      values.append(reinterpret_cast<const char*>(element.data()), width);
      places.push_back(static_cast<std::int64_t>(i));
    }
  }
  const OnnxTensor indices = onnx_integers({static_cast<std::int64_t>(places.size())}, places);
  if (places.empty() || values.size() + indices.bytes.size() >= tensor.bytes.size()) {
    return constant(name, tensor);
  }
  onnx::SparseTensorProto& sparse = *graph().add_sparse_initializer();
  for (const std::int64_t length : tensor.shape) {
    sparse.add_dims(length);
  }
  describe(name, {tensor.type, indices.shape, {}}, *sparse.mutable_values());
  sparse.mutable_values()->set_raw_data(values);
  describe(name + ".places", indices, *sparse.mutable_indices());
  sparse.mutable_indices()->set_raw_data(indices.bytes.data(), indices.bytes.size());
  return name;
}

OnnxValue OnnxGraph::constant_in_file(const std::string& name, const OnnxTensor& tensor,
                                      const std::string& file) {
  onnx::TensorProto& added = add_constant(name, tensor);
  added.set_data_location(onnx::TensorProto::EXTERNAL);
  const std::pair<std::string, std::string> place[] = {
      {"location", file}, {"offset", "0"}, {"length", std::to_string(tensor.bytes.size())}};
  for (const auto& [key, value] : place) {
    auto& entry = *added.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  return name;
}

OnnxValue OnnxGraph::shared(const std::string& name, const OnnxTensor& tensor) {
  if (shared_.insert(name).second) {
    constant(name, tensor);
  }
  return name;
}

OnnxValue OnnxGraph::integers(const std::vector<std::int64_t>& values) {
  return shared(fmt::format("integers_{}", fmt::join(values, "_")),
                onnx_integers({static_cast<std::int64_t>(values.size())}, values));
}

OnnxValue OnnxGraph::integer(std::int64_t value) {
  return shared(fmt::format("integer_{}", value), onnx_integers({}, {&value, 1}));
}

OnnxValue OnnxGraph::number(float value) {
  return shared(fmt::format("number_{}", value), onnx_floats({}, {&value, 1}));
}

std::vector<std::byte> OnnxGraph::encode() const {
  const std::size_t size = model_->ByteSizeLong();
  if (size > std::numeric_limits<std::int32_t>::max()) {
    throw FormatError(fmt::format("{}.onnx would have {} bytes, an ONNX model may have {}",
                                  model_->graph().name(), size,
                                  std::numeric_limits<std::int32_t>::max()));
  }
  std::vector<std::byte> bytes(size);
  model_->SerializeToArray(bytes.data(), static_cast<int>(size));
  return bytes;
}

}  // namespace ltz::formats
