#include "tests/support/tiny_checkpoint.h"

#include <random>
#include <utility>

namespace ltz {
namespace {

ModelConfig tiny_config() {
  ModelConfig config;
  config.arch = "transformer_multibranch_v2";
  config.source_lang = "en";
  config.target_lang = "fr";
  const BranchConfig attention{BranchType::kAttention, 0, 4, 2};
  config.encoder.layers = 1;
  config.encoder.embed_dim = 8;
  config.encoder.ffn_embed_dim = 12;
  config.encoder.attention_heads = 2;
  config.encoder.kernel_sizes = {3};
  config.decoder = config.encoder;
  config.encoder.branches = {attention, {BranchType::kDynamic, 0, 4, 2, true}};
  config.decoder.branches = {attention, {BranchType::kLightweight, 5, 4, 2}};
  config.conv_linear = true;
  config.share_decoder_input_output_embed = true;
  config.max_source_positions = 64;
  config.max_target_positions = 64;
  return config;
}

ModelConfig tiny_language_config() {
  ModelConfig config;
  config.arch = "transformer_lm_multibranch_v2";
  config.encoder = {.layers = 0};
  config.decoder = tiny_config().decoder;
  config.decoder.normalize_before = true;
  config.conv_linear = true;
  config.max_target_positions = 64;
  config.target_vocabulary_size = 13;
  config.adaptive_input = config.adaptive_softmax = {.cutoffs = {5, 9}, .factor = 2.0};
  config.decoder_input_dim = 4;
  config.tie_adaptive_weights = true;
  return config;
}

Vocabulary numbered_words(const std::string& prefix, int count) {
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) {
    words.push_back(prefix + std::to_string(i));
  }
  return Vocabulary(std::move(words));
}

// Element i is centroid number codes[i] of `levels` even steps around zero.
QuantizedValues random_codes(std::mt19937& random, std::int64_t count, int levels) {
  QuantizedValues quantized;
  for (int level = 0; level < levels; ++level) {
    quantized.centroids.push_back(static_cast<float>(level - levels / 2) * 0.125f);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>(random() % static_cast<unsigned>(levels)));
  }
  return quantized;
}

// The same with scales of a fourth to four for the rows.
QuantizedValues random_scaled_codes(std::mt19937& random, const Shape& shape) {
  QuantizedValues quantized = random_codes(random, element_count(shape), 7);
  for (std::int64_t row = 0; row < row_count(shape); ++row) {
    quantized.row_scales.push_back(static_cast<std::uint8_t>(112 + random() % 33U));
  }
  return quantized;
}

void add_random_tensors(Checkpoint& checkpoint, unsigned seed) {
  // The distributions of <random> differ between standard libraries; the engine's bits do not.
  std::mt19937 random(seed);
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const float centre = spec.role == Role::kGain ? 1.0f : 0.0f;
    std::vector<float> values(static_cast<std::size_t>(element_count(spec.shape)));
    for (float& value : values) {
      // Odd multiples of 2^-24: never zero.
      const auto odd = static_cast<float>((random() >> 9 << 1) | 1U);
      value = odd * 0x1p-24f - 0.5f + centre;
    }
    checkpoint.tensors.emplace(spec.name, dense_tensor(spec.shape, std::move(values)));
  }
}

}  // namespace

Checkpoint random_checkpoint(const ModelConfig& config, unsigned seed) {
  constexpr int kSpecial = Vocabulary::kUnk + 1;
  Checkpoint checkpoint;
  checkpoint.config = config;
  if (!is_language_model(config)) {
    checkpoint.source_vocabulary = numbered_words("word", config.source_vocabulary_size - kSpecial);
  }
  checkpoint.target_vocabulary = numbered_words("word", config.target_vocabulary_size - kSpecial);
  add_random_tensors(checkpoint, seed);
  return checkpoint;
}

Checkpoint tiny_checkpoint(unsigned seed) {
  Checkpoint checkpoint;
  checkpoint.config = tiny_config();
  checkpoint.source_vocabulary = numbered_words("source", 12);
  checkpoint.target_vocabulary = numbered_words("cible\xC3\xA9", 9);
  checkpoint.merges = {{"s", "o"}, {"so", "u"}, {"c", "e</w>"}};
  checkpoint.config.source_vocabulary_size = checkpoint.source_vocabulary.size();
  checkpoint.config.target_vocabulary_size = checkpoint.target_vocabulary.size();
  add_random_tensors(checkpoint, seed);
  return checkpoint;
}

Checkpoint tiny_language_model(unsigned seed) {
  Checkpoint checkpoint = random_checkpoint(tiny_language_config(), seed);
  checkpoint.merges = {{"w", "o"}, {"wo", "r"}};
  return checkpoint;
}

Checkpoint with_all_encodings(Checkpoint checkpoint, unsigned seed) {
  std::mt19937 random(seed);
  int kind = 0;
  for (auto& [name, tensor] : checkpoint.tensors) {
    const std::int64_t count = tensor.size();
    switch (kind++ % 8) {
      case 0:
        tensor.data = random_codes(random, count, 9);
        break;
      case 1: {
        auto values = tensor.values();
        for (float& value : values) {
          value = round_to_float16(value);
        }
        tensor.data = DenseValues{Precision::kFloat16, std::move(values)};
        break;
      }
      case 2: {
        QuantizedValues quantized = random_codes(random, count, 4);
        quantized.centroids = {-0.3f, -0.1f, 0.1f, 0.7f};  // not float16
        tensor.data = std::move(quantized);
        break;
      }
      case 3:
        tensor.data = random_codes(random, count, 1);
        break;
      case 4:
        std::get<DenseValues>(tensor.data).values[0] = 0.0f;
        break;
      case 6: {
        QuantizedValues quantized = random_scaled_codes(random, tensor.shape);
        if (kind % 16 == 7) {
          quantized.centroids.back() = 0.7f;  // not float16
        }
        tensor.data = std::move(quantized);
        break;
      }
      default:
        break;
    }
  }
  return checkpoint;
}

Checkpoint tiny_quantized_checkpoint(unsigned seed) {
  return with_all_encodings(tiny_checkpoint(seed), seed + 1);
}

Checkpoint tiny_quantized_language_model(unsigned seed) {
  return with_all_encodings(tiny_language_model(seed), seed + 1000);
}

}  // namespace ltz
