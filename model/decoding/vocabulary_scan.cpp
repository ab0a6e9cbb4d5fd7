#include "model/decoding/vocabulary_scan.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/base/parallel.h"
#include "model/kernels/scratch.h"

namespace ltz {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
// Each part of the vocabulary is summed separately, so that the sums are the same however the parts
// are shared between threads.
constexpr int kPartTokens = 16 * LogitBlock::kTokens;
// Rows whose logits are made together: theirs of one block, their features and the block of the
// table fit into the second-level cache.
constexpr Eigen::Index kRows = 192;

int parts(int tokens) {
  return (tokens + kPartTokens - 1) / kPartTokens;
}

class Scan {
 public:
  Scan(const Transformer& model, MatrixView features,
       const std::function<void(const LogitBlock&)>& visit)
      : model_(model),
        features_(model.product_rows(features)),
        visit_(visit),
        tokens_(model.config().target_vocabulary_size),
        rows_(features.rows()),
        sums_(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(parts(tokens_))) {}

  void scan_all() {
    const double work = static_cast<double>(features_.all().x.size()) * tokens_;
    const auto count = static_cast<std::size_t>(parts(tokens_));
    split_work(count, work, [&](std::size_t begin, std::size_t end) {
      const int last = std::min(static_cast<int>(end) * kPartTokens, tokens_);
      for (Eigen::Index row = 0; row < rows_; row += kRows) {
        const Eigen::Index rows = std::min(kRows, rows_ - row);
        for (int first = static_cast<int>(begin) * kPartTokens; first < last;
             first += LogitBlock::kTokens) {
          scan_block(row, rows, first, begin);
        }
      }
    });
  }

  std::vector<float> normalizers() const {
    const auto count = static_cast<std::size_t>(parts(tokens_));
    std::vector<float> values(static_cast<std::size_t>(rows_));
    for (std::size_t row = 0; row < values.size(); ++row) {
      RunningLogSumExp total;
      for (std::size_t part = 0; part < count; ++part) {
        total.add(sums_[row * count + part]);
      }
      values[row] = total.value();
    }
    return values;
  }

 private:
  void scan_block(Eigen::Index begin, Eigen::Index rows, int first, std::size_t shard) {
    const int tokens = std::min(LogitBlock::kTokens, tokens_ - first);
    Scratch block(rows, LogitBlock::kTokens);
    model_.logits(features_.middle(begin, rows), first, block->leftCols(tokens));
    block->rightCols(LogitBlock::kTokens - tokens).setConstant(kMinusInfinity);
    const auto count = static_cast<std::size_t>(parts(tokens_));
    for (Eigen::Index i = 0; i < rows; ++i) {
      const std::span<float> logits(block->row(i).data(), LogitBlock::kTokens);
      std::array<float, kernels::kLanes> maxima;
      kernels::max_of_lanes(logits, maxima);
      const float largest = std::ranges::max(maxima);
      sums_[static_cast<std::size_t>(begin + i) * count +
            static_cast<std::size_t>(first / kPartTokens)]
          .add(logits, largest);
      visit_({begin + i, first, logits, maxima, largest, shard});
    }
  }

  const Transformer& model_;
  ProductRows features_;
  const std::function<void(const LogitBlock&)>& visit_;
  int tokens_;
  Eigen::Index rows_;
  std::vector<RunningLogSumExp> sums_;  // (rows, parts)
};

// The bands of an adaptive softmax have to be normalised before one can be compared with another:
// so all of some rows are made, then visited.
std::vector<float> scan_bands(const Transformer& model, MatrixView features,
                              const std::function<void(const LogitBlock&)>& visit) {
  constexpr Eigen::Index kFloats = 1 << 20;
  const Eigen::Index tokens = model.config().target_vocabulary_size;
  constexpr Eigen::Index kBlock = LogitBlock::kTokens;
  const Eigen::Index padded = (tokens + kBlock - 1) / kBlock * kBlock;
  const Eigen::Index at_once = std::max<Eigen::Index>(kFloats / padded, 1);
  const auto chunks = static_cast<std::size_t>((features.rows() + at_once - 1) / at_once);
  const double work = static_cast<double>(features.size()) * static_cast<double>(tokens);
  split_work(chunks, work, [&](std::size_t begin, std::size_t end) {
    for (std::size_t chunk = begin; chunk < end; ++chunk) {
      const auto first_row = static_cast<Eigen::Index>(chunk) * at_once;
      const Eigen::Index rows = std::min(at_once, features.rows() - first_row);
      Scratch all(rows, padded);
      model.logits(features.middleRows(first_row, rows), all->leftCols(tokens));
      all->rightCols(padded - tokens).setConstant(kMinusInfinity);
      for (Eigen::Index i = 0; i < rows; ++i) {
        for (Eigen::Index first = 0; first < tokens; first += kBlock) {
          const std::span<float> logits(&(*all)(i, first), kBlock);
          std::array<float, kernels::kLanes> maxima;
          kernels::max_of_lanes(logits, maxima);
          visit({first_row + i, static_cast<int>(first), logits, maxima, std::ranges::max(maxima),
                 0});
        }
      }
    }
  });
  return std::vector<float>(static_cast<std::size_t>(features.rows()), 0.0f);
}

}  // namespace

std::size_t vocabulary_shards(const Transformer& model) {
  return static_cast<std::size_t>(parts(model.config().target_vocabulary_size));
}

std::vector<float> scan_vocabulary(const Transformer& model, MatrixView features,
                                   const std::function<void(const LogitBlock&)>& visit) {
  if (model.adaptive_softmax() != nullptr) {
    return scan_bands(model, features, visit);
  }
  Scan scan(model, features, visit);
  scan.scan_all();
  return scan.normalizers();
}

void RunningLogSumExp::raise(float largest) {
  if (largest > largest_) {
    sum_ *= std::exp(largest_ - largest);
    largest_ = largest;
  }
}

void RunningLogSumExp::add(std::span<const float> x, float largest) {
  raise(largest);
  if (largest_ != kMinusInfinity) {
    sum_ += kernels::sum_exp(x, largest_);
  }
}

void RunningLogSumExp::add(const RunningLogSumExp& other) {
  raise(other.largest_);
  if (other.largest_ != kMinusInfinity) {
    sum_ += other.sum_ * std::exp(other.largest_ - largest_);
  }
}

float RunningLogSumExp::value() const {
  return largest_ + std::log(sum_);
}

}  // namespace ltz
