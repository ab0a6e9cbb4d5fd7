#include <algorithm>
#include <array>
#include <numeric>

#include "model/base/error.h"
#include "model/layers/transformer.h"
#include "model/layers/transformer_layers.h"

namespace ltz {

namespace {

constexpr int kEncoderSublayers = 2;  // of a layer
constexpr int kDecoderSublayers = 3;

std::size_t tokens_in(std::span<const TokenIds> sentences) {
  return std::accumulate(
      sentences.begin(), sentences.end(), std::size_t{0},
      [](std::size_t sum, const TokenIds& sentence) { return sum + sentence.size(); });
}

// The keys and values that this cross-attention makes from the encoder's output.
std::shared_ptr<const Attention::Memory> memory_of(const Attention& attention, MatrixView source) {
  auto memory = std::make_shared<Attention::Memory>(attention.empty_memory());
  attention.remember(source, *memory);
  return memory;
}

}  // namespace

void require_length(const TokenIds& sentence, int longest, const char* side) {
  if (static_cast<int>(sentence.size()) > longest) {
    throw ConfigError(std::string("a ") + side + " sentence has " +
                      std::to_string(sentence.size()) + " tokens, the model takes at most " +
                      std::to_string(longest));
  }
}

void require_token(int token, int vocabulary) {
  if (token < 0 || token >= vocabulary) {
    throw ConfigError("token id " + std::to_string(token) + " is outside of the vocabulary of " +
                      std::to_string(vocabulary));
  }
}

int number_of_sublayers(const ModelConfig& config) {
  return kEncoderSublayers * config.encoder.layers + kDecoderSublayers * config.decoder.layers;
}

int sublayer_of(const ModelConfig& config, const ParameterSpec& spec) {
  if (spec.stack == Stack::kEncoder) {
    return kEncoderSublayers * spec.layer + (spec.component == Component::kFeedForward ? 1 : 0);
  }
  const int place = spec.component == Component::kFeedForward      ? 2
                    : spec.component == Component::kCrossAttention ? 1
                                                                   : 0;
  return kEncoderSublayers * config.encoder.layers + kDecoderSublayers * spec.layer + place;
}

SublayerPlace place_of(const ModelConfig& config, int sublayer) {
  const int encoder = kEncoderSublayers * config.encoder.layers;
  if (sublayer < encoder) {
    return {Stack::kEncoder, sublayer / kEncoderSublayers,
            sublayer % kEncoderSublayers == 0 ? Sublayer::kSelfMixing : Sublayer::kFeedForward};
  }
  constexpr std::array kOrder = {Sublayer::kSelfMixing, Sublayer::kCrossAttention,
                                 Sublayer::kFeedForward};
  const int place = sublayer - encoder;
  return {Stack::kDecoder, place / kDecoderSublayers,
          kOrder[static_cast<std::size_t>(place % kDecoderSublayers)]};
}

bool in_encoder(const ModelConfig& config, int sublayer) {
  return sublayer < kEncoderSublayers * config.encoder.layers;
}

Reading Transformer::start_reading(std::span<const TokenIds> sources,
                                   std::span<const TokenIds> targets, int padded_length) const {
  if (sources.size() != targets.size()) {
    throw ConfigError("expected as many targets as sources, found " +
                      std::to_string(targets.size()) + " and " + std::to_string(sources.size()));
  }
  auto layout = std::make_shared<Reading::Layout>();
  layout->rows.resize(std::max(tokens_in(sources), tokens_in(targets)));
  std::iota(layout->rows.begin(), layout->rows.end(), 0);
  const std::span<const std::int32_t> rows = layout->rows;
  Reading reading;
  reading.source.resize(static_cast<Eigen::Index>(tokens_in(sources)), config_.encoder.embed_dim);
  reading.target.resize(static_cast<Eigen::Index>(tokens_in(targets)), config_.decoder.embed_dim);
  std::size_t source_start = 0;
  std::size_t target_start = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    require_length(sources[s], config_.max_source_positions, "source");
    require_length(targets[s], config_.max_target_positions, "target");
    const auto own_source = rows.subspan(source_start, sources[s].size());
    const std::span<const std::int32_t> attended = layout->attended.emplace_back(
        attended_rows(sources[s], static_cast<std::int32_t>(source_start)));
    layers_->embed_source(sources[s],
                          {.own = own_source, .attended = attended, .padded_length = padded_length},
                          reading.source, layout->source);
    for (std::size_t i = 0; i < targets[s].size(); ++i) {
      layers_->embed_target({.token = i == 0 ? Vocabulary::kEos : targets[s][i - 1],
                             .position = static_cast<int>(i),
                             .history = rows.subspan(target_start, i + 1),
                             .source_rows = attended},
                            reading.target.row(static_cast<Eigen::Index>(target_start + i)).data(),
                            layout->target, layout->cross);
    }
    source_start += sources[s].size();
    target_start += targets[s].size();
  }
  reading.layout = std::move(layout);
  return reading;
}

void Transformer::read_on(Reading& reading, Matrix* sum) const {
  const Reading::Layout& layout = *reading.layout;
  const SublayerPlace place = place_of(config_, reading.sublayers);
  const bool encoder = place.stack == Stack::kEncoder;
  const Layer& layer =
      (encoder ? layers_->encoder : layers_->decoder).at(static_cast<std::size_t>(place.layer));
  Matrix& x = encoder ? reading.source : reading.target;
  if (place.sublayer == Sublayer::kSelfMixing) {
    SelfMixing::Memory memory = layer.self_attn.empty_memory();
    layer.self_mix(x, memory, encoder ? layout.source : layout.target, sum);
  } else if (place.sublayer == Sublayer::kCrossAttention) {
    const auto known = reading.source_memory.find(place.layer);
    const auto memory = known != reading.source_memory.end()
                            ? known->second
                            : memory_of(*layer.encoder_attn, reading.source);
    layer.attend(x, *memory, layout.cross, sum);
  } else {
    layer.feed_forward(x, sum);
  }
  if (const LayerNorm* norm = layers_->norm_behind(place)) {
    (*norm)(x);
  }
  ++reading.sublayers;
}

void Transformer::remember_source(Reading& reading, int decoder_layer) const {
  const Layer& layer = layers_->decoder.at(static_cast<std::size_t>(decoder_layer));
  reading.source_memory[decoder_layer] = memory_of(*layer.encoder_attn, reading.source);
}

}  // namespace ltz
