#include "model/kernels/scratch.h"

#include <deque>
#include <vector>

namespace ltz {
namespace {

struct Buffers {
  std::deque<std::vector<float>> all;  // a deque, so that those in use stay where they are
  std::size_t used = 0;
};

thread_local Buffers buffers;

float* take(Eigen::Index size) {
  if (buffers.used == buffers.all.size()) {
    buffers.all.emplace_back();
  }
  std::vector<float>& buffer = buffers.all[buffers.used];
  if (buffer.size() < static_cast<std::size_t>(size)) {
    buffer = std::vector<float>(static_cast<std::size_t>(size));
  }
  ++buffers.used;
  return buffer.data();
}

}  // namespace

Scratch::Scratch(Eigen::Index rows, Eigen::Index cols) : matrix_(take(rows * cols), rows, cols) {}

Scratch::~Scratch() {
  --buffers.used;
}

}  // namespace ltz
