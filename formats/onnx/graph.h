#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/checkpoint/tensor.h"

namespace onnx {
class ModelProto;
class GraphProto;
class TensorProto;
}  // namespace onnx

namespace ltz::formats {

// Element types that graphs of ltz hold.
enum class OnnxType { kFloat32, kFloat16, kUint8, kInt32, kInt64 };

// TensorProto::DataType, what the attribute `to` of a Cast takes.
std::int64_t onnx_data_type(OnnxType type);

// A tensor that a graph holds. bytes: row-major, little-endian, as many as type and shape ask for.
struct OnnxTensor {
  OnnxType type = OnnxType::kFloat32;
  Shape shape;
  std::vector<std::byte> bytes;
};

OnnxTensor onnx_floats(Shape shape, std::span<const float> values);
OnnxTensor onnx_integers(Shape shape, std::span<const std::int64_t> values);

// A length of an input or output, or the name of one that is known only at run time.
using OnnxDimension = std::variant<std::int64_t, std::string>;

// What a graph takes or gives.
struct OnnxPort {
  std::string name;
  OnnxType type = OnnxType::kFloat32;
  std::vector<OnnxDimension> shape;
};

// The name of a tensor inside of a graph.
using OnnxValue = std::string;

// The value of a node's attribute.
using OnnxAttribute = std::variant<std::int64_t, float, std::vector<std::int64_t>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttribute>>;

// One ONNX model under construction: a list of nodes in the order of computation, with the
// standard operators only. What is put together is not checked; the same calls make the same bytes.
class OnnxGraph {
 public:
  // opset: version of the operators; see https://onnx.ai/onnx/operators.
  OnnxGraph(const std::string& name, int opset);
  ~OnnxGraph();
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;

  int opset() const { return opset_; }

  OnnxValue input(const OnnxPort& port);
  // The result of a node, which gets the port's name: all nodes that take it are there already.
  void output(const OnnxValue& value, const OnnxPort& port);

  // Nodes to come are named prefix/Operator_N, N being the name of their first result.
  void name_nodes(const std::string& prefix) { prefix_ = prefix; }
  // Adds a node of one result. An input that is an empty name is one that was left out.
  OnnxValue apply(std::string_view op, std::vector<OnnxValue> inputs,
                  const OnnxAttributes& attributes = {});
  // Adds a node of several results.
  std::vector<OnnxValue> apply(std::string_view op, std::vector<OnnxValue> inputs,
                               const OnnxAttributes& attributes, std::size_t results);

  // Tensors that the model holds.
  OnnxValue constant(const std::string& name, const OnnxTensor& tensor);
  // The same with its zeros left out, if that takes less space and something remains: a runtime
  // sees no difference.
  OnnxValue sparse_constant(const std::string& name, const OnnxTensor& tensor);
  // The tensor is the whole of a file beside the model, which somebody else writes.
  OnnxValue constant_in_file(const std::string& name, const OnnxTensor& tensor,
                             const std::string& file);
  // Small ones, of which equal ones are the same: (n) integers, one integer, one float32.
  OnnxValue integers(const std::vector<std::int64_t>& values);
  OnnxValue integer(std::int64_t value);
  OnnxValue number(float value);

  // The serialized ModelProto. Throws FormatError when it is larger than the 2 GB that it may be.
  std::vector<std::byte> encode() const;

 private:
  onnx::GraphProto& graph();
  onnx::TensorProto& add_constant(const std::string& name, const OnnxTensor& tensor);
  OnnxValue shared(const std::string& name, const OnnxTensor& tensor);

  int opset_;
  std::unique_ptr<onnx::ModelProto> model_;
  std::string prefix_;
  std::size_t values_ = 0;  // that have a number for a name: longer ones would take up space
  std::set<std::string> shared_;
};

}  // namespace ltz::formats
