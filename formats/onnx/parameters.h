#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "formats/onnx/graph.h"
#include "formats/onnx/onnx.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// The parameters of a model as constants of one graph, each as its tensor has it: float32, float16
// (bfloat16 becomes float32), or codes, of which nodes make float32: Cast from float16, Gather from
// the codebook, Mul with the scales of the rows. What is asked for twice is there once.
class OnnxParameters {
 public:
  // files: where embeddings, positions and the output projection are to be put, each in a file of
  // its own; null: into the graph. sparse: matrices of floats in the graph are stored without their
  // zeros where that is smaller. All arguments outlive this.
  OnnxParameters(const Checkpoint& checkpoint, OnnxGraph& graph, OnnxFiles* files, bool sparse);

  // float32, in the tensor's shape.
  OnnxValue whole(const std::string& name);
  // float32, (columns, rows) of a tensor of (rows, columns).
  OnnxValue transposed(const std::string& name);
  // float32, indices' shape and then (columns): rows of a tensor of (rows, columns). indices:
  // int64.
  OnnxValue rows(const std::string& name, const OnnxValue& indices);

 private:
  enum class Layout { kAsIs, kTransposed };
  // The constants of one tensor.
  struct Stored {
    OnnxType type;
    OnnxValue elements;                   // codes if the type is kUint8
    OnnxValue codebook = {};              // (centroids)
    OnnxValue row_scales = {};            // their codes, in a shape that goes with the elements'
    std::map<OnnxValue, OnnxValue> made;  // float32 by the name of what it was made of
  };

  Stored& stored(const std::string& name, Layout layout);
  Stored store(const std::string& name, Layout layout);
  // elements: of that tensor, row_scales: of their rows.
  OnnxValue decode(Stored& stored, const OnnxValue& elements, const OnnxValue& row_scales);
  // table[codes], in the shape of codes.
  OnnxValue look_up(const OnnxValue& table, const OnnxValue& codes);
  // (256): the scale of every code.
  OnnxValue scale_table();

  const Checkpoint& checkpoint_;
  OnnxGraph& graph_;
  OnnxFiles* files_;
  bool sparse_;
  std::set<std::string> tables_;  // names of what goes into files
  std::map<std::pair<std::string, Layout>, Stored> stored_;
  OnnxValue scale_table_;
};

}  // namespace ltz::formats
