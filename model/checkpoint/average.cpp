#include "model/checkpoint/average.h"

#include <string>
#include <utility>

#include "model/base/error.h"

namespace ltz {

void CheckpointAverage::add(Checkpoint checkpoint) {
  if (count_ == 0) {
    sum_ = std::move(checkpoint);
    count_ = 1;
    return;
  }
  if (checkpoint.config != sum_.config) {
    throw ConfigError("checkpoints of different configurations cannot be averaged");
  }
  if (checkpoint.source_vocabulary != sum_.source_vocabulary ||
      checkpoint.target_vocabulary != sum_.target_vocabulary || checkpoint.merges != sum_.merges ||
      checkpoint.sentencepiece != sum_.sentencepiece) {
    throw ConfigError("checkpoints of different vocabularies cannot be averaged");
  }
  for (auto& [name, tensor] : sum_.tensors) {
    std::vector<float> sums = tensor.values();
    const std::vector<float> values = checkpoint.tensors.at(name).values();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += values[i];
    }
    tensor = dense_tensor(tensor.shape, std::move(sums));
  }
  ++count_;
}

Checkpoint CheckpointAverage::take() {
  if (count_ == 0) {
    throw ConfigError("there is no checkpoint to average");
  }
  if (count_ > 1) {
    for (auto& [name, tensor] : sum_.tensors) {
      for (float& value : std::get<DenseValues>(tensor.data).values) {
        value /= static_cast<float>(count_);
      }
    }
  }
  count_ = 0;
  return std::exchange(sum_, {});
}

}  // namespace ltz
