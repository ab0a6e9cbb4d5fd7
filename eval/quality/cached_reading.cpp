#include "eval/quality/cached_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/base/parallel.h"
#include "model/decoding/batching.h"

namespace ltz::eval {
namespace {

constexpr int kFromWords = -1;

}  // namespace

CachedReading::Place CachedReading::place(const ModelConfig& config, const ParameterSpec& spec) {
  Place place{.first_sublayer = kFromWords, .keys_layer = {}};
  if (spec.layer >= 0) {
    place.first_sublayer = sublayer_of(config, spec);
    if (spec.component == Component::kCrossAttention &&
        (spec.name.find(".k_proj.") != std::string::npos ||
         spec.name.find(".v_proj.") != std::string::npos)) {
      place.keys_layer = spec.layer;
    }
  } else if (spec.name == "decoder.embed_out" ||
             spec.name.starts_with("decoder.adaptive_softmax.")) {
    // If they were tables or projections of the input as well, their names would be others.
    place.first_sublayer = number_of_sublayers(config);
  }
  return place;
}

CachedReading::CachedReading(const Transformer& model, std::vector<TokenIds> sources,
                             std::vector<TokenIds> targets)
    : model_(model) {
  if (sources.size() != targets.size()) {
    throw ConfigError(fmt::format("expected as many targets as sources, found {} and {}",
                                  targets.size(), sources.size()));
  }
  for (const ParameterSpec& spec : parameter_specs(model.config())) {
    places_.emplace(spec.name, place(model.config(), spec));
  }
  for (const std::vector<std::size_t>& batch : batch_by_length(targets).batches) {
    batches_.push_back({gather(sources, batch), gather(targets, batch), {}});
  }
}

void CachedReading::keep_what_precedes(const std::vector<std::string>& parameters) {
  int first = number_of_sublayers(model_.config());
  for (const std::string& name : parameters) {
    const auto found = places_.find(name);
    first = std::min(first, found == places_.end() ? kFromWords : found->second.first_sublayer);
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
    if (!in_encoder(model_.config(), first) && !is_language_model(model_.config())) {
      remember_sources(batch.kept, parameters);
    }
  });
  kept_ = first;
}

// Of all decoder layers but those whose keys or values are replaced.
void CachedReading::remember_sources(Reading& reading,
                                     const std::vector<std::string>& replaced) const {
  std::set<int> other;
  for (const std::string& name : replaced) {
    if (const std::optional<int> layer = places_.at(name).keys_layer) {
      other.insert(*layer);
    }
  }
  for (int layer = 0; layer < model_.config().decoder.layers; ++layer) {
    if (other.contains(layer)) {
      reading.source_memory.erase(layer);
    } else if (!reading.source_memory.contains(layer)) {
      model_.remember_source(reading, layer);
    }
  }
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
