#include "tests/support/random_language_model.h"

#include <random>

#include "tests/support/random_architecture.h"

namespace ltz {
namespace {

class Generator {
 public:
  explicit Generator(unsigned seed) : seed_(seed), random_(seed) {}

  ModelConfig make() {
    ModelConfig config = random_architecture(seed_);
    config.arch = "transformer_lm_multibranch_v2";
    config.source_lang.clear();
    config.target_lang.clear();
    config.encoder = {.layers = 0};
    config.source_vocabulary_size = 0;
    config.share_all_embeddings = false;
    config.decoder.normalize_before = true;
    config.target_vocabulary_size = 17 + below(14);
    config.activation = static_cast<Activation>(seed_ % 5);
    config.add_bos_token = below(4) == 0;
    const unsigned kind = seed_ % 6;
    config.tie_adaptive_weights = kind >= 4;
    config.tie_adaptive_proj = kind == 5;
    if (kind >= 2) {
      config.adaptive_softmax = bands(config);
    }
    if (kind == 1 || kind >= 3) {
      config.decoder_input_dim = below(2) == 0 ? 0 : config.decoder.embed_dim - 1;
      config.adaptive_input = config.tie_adaptive_weights ? config.adaptive_softmax : bands(config);
    }
    config.share_decoder_input_output_embed = kind == 0 && below(2) == 0;
    return config;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  // One to four bands, the last of which may end with the vocabulary; of such widths that none is
  // without channels.
  BandsConfig bands(const ModelConfig& config) {
    const int vocabulary = config.target_vocabulary_size;
    switch (below(4)) {
      case 0:
        return {.cutoffs = {vocabulary}, .factor = 4.0};
      case 1:
        return {.cutoffs = {9}, .factor = 2.5};
      case 2:
        return {.cutoffs = {5, 8, vocabulary}, .factor = 1.3};
      default:
        return {.cutoffs = {3, 6, 12}, .factor = 1.0};
    }
  }

  unsigned seed_;
  std::mt19937 random_;
};

}  // namespace

ModelConfig random_language_model(unsigned seed) {
  return Generator(seed).make();
}

}  // namespace ltz
