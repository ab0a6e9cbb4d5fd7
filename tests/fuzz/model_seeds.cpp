#include "tests/fuzz/model_seeds.h"

#include "tests/support/pickle_builder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::test {
namespace {

std::string small_tensor(bool stream) {
  return pickled_tensor({.count = 6, .shape = {2, 3}, .strides = {3, 1}, .stream = stream});
}

}  // namespace

std::string small_object(bool stream) {
  const std::string args = pickled("arch") + pickled("transformer") + pickled("encoder_layers") +
                           pickled(1) + pickled("dropout") + "G" + std::string(8, '\0');
  return fairseq_pickle(args, pickled("w") + small_tensor(stream));
}

std::string small_language_object(bool stream) {
  const auto on = [](const char* name) { return pickled(name) + "\x88"; };
  const std::string args =
      pickled("arch") + pickled("transformer_lm_multibranch_v2") + pickled("decoder_layers") +
      pickled(1) + pickled("decoder_embed_dim") + pickled(3) + pickled("decoder_attention_heads") +
      pickled(1) + on("adaptive_input") + on("tie_adaptive_weights") + on("tie_adaptive_proj") +
      pickled("adaptive_input_cutoff") + pickled("1") + pickled("adaptive_softmax_cutoff") +
      pickled("1") + pickled("adaptive_input_factor") + pickled(2) +
      pickled("adaptive_softmax_factor") + "G@" + std::string(7, '\0');
  const std::string table = small_tensor(stream);
  return fairseq_pickle(args, pickled("decoder.embed_tokens.embeddings.0.0.weight") + table +
                                  pickled("decoder.adaptive_softmax.head.word_proj.weight") +
                                  table);
}

Checkpoint small_checkpoint() {
  ModelConfig config;
  config.arch = "lightconv";
  config.encoder.layers = 1;
  config.encoder.embed_dim = 4;
  config.encoder.ffn_embed_dim = 2;
  config.encoder.attention_heads = 1;
  config.encoder.branches = {{BranchType::kLightweight, 3, 4, 2}};
  config.decoder = config.encoder;
  config.share_all_embeddings = true;
  config.source_vocabulary_size = 6;
  config.target_vocabulary_size = 6;
  Checkpoint checkpoint = random_checkpoint(config, 1);
  checkpoint.merges = {{"w", "o"}};
  return checkpoint;
}

Checkpoint small_quantized_checkpoint() {
  return with_all_encodings(small_checkpoint(), 2);
}

Checkpoint small_language_model() {
  ModelConfig config;
  config.arch = "transformer_lm_multibranch_v2";
  config.encoder = {.layers = 0};
  config.decoder = small_checkpoint().config.decoder;
  config.decoder.normalize_before = true;
  config.target_vocabulary_size = 6;
  config.adaptive_input = config.adaptive_softmax = {.cutoffs = {4}, .factor = 2.0};
  config.tie_adaptive_weights = config.tie_adaptive_proj = true;
  return with_all_encodings(random_checkpoint(config, 3), 4);
}

}  // namespace ltz::test
