#include "eval/cached_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/batching.h"
#include "model/error.h"
#include "model/parallel.h"

namespace ltz::eval {
namespace {

constexpr int kFromWords = -1;

// The first sublayer that a parameter has to do with; kFromWords for what comes before all.
int first_sublayer(const ModelConfig& config, const ParameterSpec& spec) {
  if (spec.layer >= 0) {
    return sublayer_of(config, spec);
  }
  // Not so if it is an embedding table as well: then its name is another.
  return spec.name == "decoder.embed_out" ? number_of_sublayers(config) : kFromWords;
}

}  // namespace

CachedReading::CachedReading(const Transformer& model, std::vector<TokenIds> sources,
                             std::vector<TokenIds> targets)
    : model_(model) {
  if (sources.size() != targets.size()) {
    throw ConfigError(fmt::format("expected as many targets as sources, found {} and {}",
                                  targets.size(), sources.size()));
  }
  for (const ParameterSpec& spec : parameter_specs(model.config())) {
    first_sublayers_[spec.name] = first_sublayer(model.config(), spec);
  }
  for (const std::vector<std::size_t>& batch : batch_by_length(targets).batches) {
    batches_.push_back({gather(sources, batch), gather(targets, batch), {}});
  }
}

void CachedReading::keep_what_precedes(const std::vector<std::string>& parameters) {
  int first = number_of_sublayers(model_.config());
  for (const std::string& name : parameters) {
    const auto found = first_sublayers_.find(name);
    first = std::min(first, found == first_sublayers_.end() ? kFromWords : found->second);
  }
  from_kept_ = first != kFromWords;
  if (!from_kept_) {
    return;
  }
  const bool start_over = kept_ == kFromWords || kept_ > first;
  parallel_for(batches_.size(), [&](std::size_t b) {
    Batch& batch = batches_[b];
    if (start_over) {
      batch.kept = model_.start_reading(batch.sources, batch.targets);
    }
    while (batch.kept.sublayers < first) {
      model_.read_on(batch.kept);
    }
  });
  kept_ = first;
}

Matrix CachedReading::features(std::size_t b) const {
  const Batch& batch = batches_[b];
  Reading reading = from_kept_ ? batch.kept : model_.start_reading(batch.sources, batch.targets);
  while (reading.sublayers < number_of_sublayers(model_.config())) {
    model_.read_on(reading);
  }
  return std::move(reading.target);
}

TokenLoss score(const CachedReading& reading) {
  std::vector<TokenLoss> losses(reading.batches());
  parallel_for(losses.size(), [&](std::size_t b) {
    losses[b] = negative_log_likelihood(reading.model(), reading.features(b), reading.targets(b));
  });
  return total(losses);
}

}  // namespace ltz::eval
