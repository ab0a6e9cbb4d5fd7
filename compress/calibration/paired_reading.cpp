#include "compress/calibration/paired_reading.h"

#include <algorithm>
#include <functional>

#include "compress/calibration/batch_sums.h"
#include "model/decoding/batching.h"

namespace ltz::compress {
namespace {

using Pairs = std::map<std::string, PairedMoments>;

// The batch that this thread computes: the original's inputs, and what the pairs add to.
thread_local std::map<std::string, Matrix> originals;
thread_local Pairs* collected = nullptr;

}  // namespace

void PairedMoments::add(MatrixView x, MatrixView y) {
  inputs.add(y);
  add_products(x, y, cross);
}

void PairedMoments::add(const PairedMoments& other) {
  inputs.add(other.inputs);
  cross.resize(other.cross.size());
  std::ranges::transform(cross, other.cross, cross.begin(), std::plus());
}

PairedReading::PairedReading(Transformer& original, Transformer& compressed,
                             const EncodedText& text)
    : original_(original), compressed_(compressed) {
  for (const std::vector<std::size_t>& batch : batches_of(text)) {
    const std::vector<TokenIds> sources = gather(text.source, batch);
    const std::vector<TokenIds> targets = gather(text.target, batch);
    batches_.push_back(
        {original.start_reading(sources, targets), compressed.start_reading(sources, targets)});
  }
}

PairedReading::~PairedReading() {
  original_.observe_inputs({});
  compressed_.observe_inputs({});
}

Pairs PairedReading::moments(const std::set<std::string>& matrices) {
  original_.observe_inputs([&](const std::string& matrix, MatrixView inputs) {
    if (matrices.contains(matrix)) {
      originals[matrix] = inputs;
    }
  });
  compressed_.observe_inputs([&](const std::string& matrix, MatrixView inputs) {
    if (matrices.contains(matrix)) {
      (*collected)[matrix].add(originals.at(matrix), inputs);
    }
  });
  const Pairs total = sum_over_batches<Pairs>(
      batches_.size(),
      [&](std::size_t i, Pairs& sums) {
        Batch batch = batches_[i];
        collected = &sums;
        original_.read_on(batch.original);
        compressed_.read_on(batch.compressed);
        originals.clear();
      },
      kAddByName);
  original_.observe_inputs({});
  compressed_.observe_inputs({});
  return total;
}

LineSums PairedReading::outputs() const {
  return sum_over_batches<LineSums>(
      batches_.size(),
      [&](std::size_t i, LineSums& sums) {
        Batch batch = batches_[i];
        const bool encoder = in_encoder(original_.config(), batch.original.sublayers);
        original_.read_on(batch.original);
        compressed_.read_on(batch.compressed);
        sums.add(encoder ? batch.original.source : batch.original.target,
                 encoder ? batch.compressed.source : batch.compressed.target);
      },
      [](LineSums& all, const LineSums& part) { all.add(part); });
}

void PairedReading::advance() {
  parallel_for(batches_.size(), [&](std::size_t i) {
    original_.read_on(batches_[i].original);
    compressed_.read_on(batches_[i].compressed);
  });
}

}  // namespace ltz::compress
