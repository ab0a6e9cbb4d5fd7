#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"

// Export to ONNX, for runtimes on phones. ONNX.md, beside this file, has the names, shapes and
// meaning of everything that is written.
namespace ltz::formats {

// How a graph holds its weights; it always computes in float32.
enum class OnnxWeights {
  kFloat32,
  kFloat16,
  kCodes,  // codebooks and codes of the tensors that have them, the others as precise as they are
};

// Lengths that are fixed at export, for runtimes that cannot do without.
struct OnnxLengths {
  int batch = 1;
  int source = 1;  // tokens of a source sentence with its </s>, the padding behind it included;
                   // nothing to a language model
  int target = 1;  // steps of the decoder
};

struct OnnxOptions {
  int opset = kOldestOpset;
  OnnxWeights weights = OnnxWeights::kFloat32;
  bool tables_in_files = false;  // embeddings and output projection: raw, each in its own file
  bool sparse = false;           // matrices of floats without their zeros, where that is smaller
  bool logits = false;           // as scores, rather than log-probabilities
  std::optional<OnnxLengths> lengths = {};  // none: whatever a call brings
  int golden = 0;                           // sentences with what comes out for them

  static constexpr int kOldestOpset = 13;
  static constexpr int kNewestOpset = 17;
};

// What export writes: contents by name in the output folder.
using OnnxFiles = std::map<std::string, std::vector<std::byte>>;

// encoder.onnx and decoder_step.onnx, the vocabularies, and what the options add; of a language
// model, which has no encoder, what the decoder needs. Throws ConfigError when the checkpoint is
// not valid, when there is not a single codebook for kCodes, when a weight is too large for
// float16, when the model has fewer positions than the fixed lengths, or no logits.
OnnxFiles export_onnx(const Checkpoint& checkpoint, const OnnxOptions& options);

}  // namespace ltz::formats
