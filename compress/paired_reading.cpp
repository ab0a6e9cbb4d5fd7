#include "compress/paired_reading.h"

#include <algorithm>
#include <functional>

#include "model/batching.h"
#include "model/error.h"
#include "model/parallel.h"

namespace ltz::compress {
namespace {

using Pairs = std::map<std::string, PairedMoments>;

// Of the batch that this thread computes: the original's inputs, and what the pairs add to.
thread_local std::map<std::string, Matrix> originals;
thread_local Pairs* collected = nullptr;

// Calls look(batch, sums) for every batch and adds up, in their order, what it puts into the empty
// sums that it is given.
template <typename Sums, typename Batch, typename Look, typename Add>
Sums sum_over(const std::vector<Batch>& batches, const Look& look, const Add& add) {
  Sums total;
  constexpr std::size_t kWave = 4;  // batches whose sums are kept at a time
  for (std::size_t begin = 0; begin < batches.size(); begin += kWave) {
    std::vector<Sums> parts(std::min(kWave, batches.size() - begin));
    parallel_for(parts.size(), [&](std::size_t i) { look(batches[begin + i], parts[i]); });
    for (const Sums& part : parts) {
      add(total, part);
    }
  }
  return total;
}

}  // namespace

void PairedMoments::add(MatrixView x, MatrixView y) {
  inputs.add(y);
  cross.resize(static_cast<std::size_t>(y.cols() * y.cols()));
  // As in InputMoments: products of one batch in float32, sums in double.
  const Matrix products = x.transpose() * y;
  std::transform(products.data(), products.data() + products.size(), cross.begin(), cross.begin(),
                 std::plus<double>());
}

void PairedMoments::add(const PairedMoments& other) {
  inputs.add(other.inputs);
  cross.resize(other.cross.size());
  std::ranges::transform(cross, other.cross, cross.begin(), std::plus());
}

PairedReading::PairedReading(Transformer& original, Transformer& compressed,
                             const CalibrationText& text)
    : original_(original), compressed_(compressed) {
  if (text.sources.empty() || text.sources.size() != text.targets.size()) {
    throw ConfigError("expected as many calibration targets as sources, at least one, found " +
                      std::to_string(text.targets.size()) + " and " +
                      std::to_string(text.sources.size()));
  }
  for (const std::vector<std::size_t>& batch : batch_by_length(text.targets).batches) {
    const std::vector<TokenIds> sources = gather(text.sources, batch);
    const std::vector<TokenIds> targets = gather(text.targets, batch);
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
  const Pairs total = sum_over<Pairs>(
      batches_,
      [&](Batch batch, Pairs& sums) {
        collected = &sums;
        original_.read_on(batch.original);
        compressed_.read_on(batch.compressed);
        originals.clear();
      },
      [](Pairs& all, const Pairs& part) {
        for (const auto& [name, pair] : part) {
          all[name].add(pair);
        }
      });
  original_.observe_inputs({});
  compressed_.observe_inputs({});
  return total;
}

LineSums PairedReading::outputs() const {
  return sum_over<LineSums>(
      batches_,
      [&](Batch batch, LineSums& sums) {
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
