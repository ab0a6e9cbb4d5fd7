#include <algorithm>
#include <iterator>
#include <numeric>

#include "model/base/error.h"
#include "model/layers/transformer.h"
#include "model/layers/transformer_layers.h"

namespace ltz {

namespace {

constexpr int kEncoderSublayers = 2;  // of a layer

int decoder_sublayers(const ModelConfig& config) {
  return is_language_model(config) ? 2 : 3;
}

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

int number_of_sublayers(const ModelConfig& config) {
  return kEncoderSublayers * config.encoder.layers +
         decoder_sublayers(config) * config.decoder.layers;
}

int sublayer_of(const ModelConfig& config, const ParameterSpec& spec) {
  if (spec.stack == Stack::kEncoder) {
    return kEncoderSublayers * spec.layer + (spec.component == Component::kFeedForward ? 1 : 0);
  }
  const int count = decoder_sublayers(config);
  const int place = spec.component == Component::kFeedForward      ? count - 1
                    : spec.component == Component::kCrossAttention ? 1
                                                                   : 0;
  return kEncoderSublayers * config.encoder.layers + count * spec.layer + place;
}

SublayerPlace place_of(const ModelConfig& config, int sublayer) {
  const int encoder = kEncoderSublayers * config.encoder.layers;
  if (sublayer < encoder) {
    return {Stack::kEncoder, sublayer / kEncoderSublayers,
            sublayer % kEncoderSublayers == 0 ? Sublayer::kSelfMixing : Sublayer::kFeedForward};
  }
  const int count = decoder_sublayers(config);
  const int place = (sublayer - encoder) % count;
  return {Stack::kDecoder, (sublayer - encoder) / count,
          place == 0           ? Sublayer::kSelfMixing
          : place == count - 1 ? Sublayer::kFeedForward
                               : Sublayer::kCrossAttention};
}

bool in_encoder(const ModelConfig& config, int sublayer) {
  return sublayer < kEncoderSublayers * config.encoder.layers;
}

Reading::Layout Transformer::lay_out(std::span<const TokenIds> sources,
                                     std::span<const TokenIds> targets, int padded_length) const {
  Reading::Layout layout;
  layout.rows.resize(std::max(tokens_in(sources), tokens_in(targets)));
  std::iota(layout.rows.begin(), layout.rows.end(), 0);
  const std::span<const std::int32_t> rows = layout.rows;
  for (const TokenIds& sentence : sources) {
    const std::size_t start = layout.source.size();
    const auto own = rows.subspan(start, sentence.size());
    layout.attended.push_back(attended_rows(sentence, static_cast<std::int32_t>(start)));
    const std::vector<int> positions = source_positions(sentence);
    std::ranges::copy(sentence, std::back_inserter(layout.source_tokens.ids));
    std::ranges::copy(positions, std::back_inserter(layout.source_tokens.positions));
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      layout.source.push_back({.rows = own,
                               .position = static_cast<int>(i),
                               .padding = padded_length - static_cast<int>(own.size()),
                               .attended = layout.attended.back(),
                               .is_padding = sentence[i] == Vocabulary::kPad});
    }
  }
  for (std::size_t s = 0; s < targets.size(); ++s) {
    const std::span<const std::int32_t> attended = layout.attended[s];
    const std::size_t start = layout.target.size();
    std::ranges::copy(decoder_inputs(config_, targets[s]),
                      std::back_inserter(layout.target_tokens.ids));
    for (std::size_t i = 0; i < targets[s].size(); ++i) {
      const auto history = rows.subspan(start, i + 1);
      layout.target_tokens.positions.push_back(static_cast<int>(i));
      layout.target.push_back(
          {.rows = history, .position = static_cast<int>(i), .attended = history});
      layout.cross.push_back({.rows = attended, .attended = attended});
    }
  }
  return layout;
}

Reading Transformer::start_reading(std::span<const TokenIds> sources,
                                   std::span<const TokenIds> targets, int padded_length) const {
  if (sources.size() != targets.size()) {
    throw ConfigError("expected as many targets as sources, found " +
                      std::to_string(targets.size()) + " and " + std::to_string(sources.size()));
  }
  for (std::size_t s = 0; s < sources.size(); ++s) {
    require_length(sources[s], config_.max_source_positions, "source");
    require_length(targets[s], config_.max_target_positions, "target");
  }
  auto layout = std::make_shared<Reading::Layout>(lay_out(sources, targets, padded_length));
  Reading reading;
  reading.source.resize(static_cast<Eigen::Index>(layout->source.size()),
                        config_.encoder.embed_dim);
  reading.target.resize(static_cast<Eigen::Index>(layout->target.size()),
                        config_.decoder.embed_dim);
  if (layers_->encoder_embedding) {
    const auto& [ids, positions] = layout->source_tokens;
    layers_->encoder_embedding->look_up(ids, positions, reading.source);
  }
  const auto& [ids, positions] = layout->target_tokens;
  layers_->decoder_embedding.look_up(ids, positions, reading.target);
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
