#include "tests/support/wide_checkpoint.h"

#include <random>

#include "tests/support/tiny_checkpoint.h"

namespace ltz {

Checkpoint wide_checkpoint() {
  Checkpoint checkpoint = tiny_checkpoint(1);
  for (StackConfig* stack : {&checkpoint.config.encoder, &checkpoint.config.decoder}) {
    stack->embed_dim = 64;
    stack->ffn_embed_dim = 96;
    for (BranchConfig& branch : stack->branches) {
      branch.channels = 32;
    }
  }
  checkpoint.tensors.clear();
  std::mt19937 generator(5);
  double scale = 0.05;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    std::vector<float> values(static_cast<std::size_t>(element_count(spec.shape)));
    for (float& value : values) {
      double sum = 0.0;
      for (int i = 0; i < 4; ++i) {
        sum += static_cast<double>(generator()) * 0x1p-32 - 0.5;
      }
      value = static_cast<float>(sum * scale);
    }
    checkpoint.tensors[spec.name] = dense_tensor(spec.shape, std::move(values));
    scale = scale < 0.5 ? scale * 1.1 : 0.05;
  }
  return checkpoint;
}

}  // namespace ltz
