#include "model/checkpoint/config.h"

#include <utility>

#include "model/base/error.h"
#include "model/checkpoint/bands.h"

namespace ltz {
namespace {

[[noreturn]] void fail(const std::string& setting, const std::string& reason) {
  throw ConfigError("configuration: " + setting + " " + reason);
}

void require_positive(const std::string& setting, int value) {
  if (value <= 0) {
    fail(setting, "must be positive, found " + std::to_string(value));
  }
}

void require_divides(const std::string& setting, int heads, int channels) {
  require_positive(setting, heads);
  if (channels % heads != 0) {
    fail(setting, "= " + std::to_string(heads) + " does not divide " + std::to_string(channels) +
                      " channels");
  }
}

void validate_branches(const std::string& stack, const StackConfig& config, bool conv_linear) {
  int channels = 0;
  for (std::size_t b = 0; b < config.branches.size(); ++b) {
    const BranchConfig& branch = config.branches[b];
    const std::string name = stack + "_branch_type[" + std::to_string(b) + "]";
    require_positive(name + " channels", branch.channels);
    if (branch.conv_channels < 0) {
      require_positive(name + " conv_channels", branch.conv_channels);
    }
    require_divides(name + " heads", branch.heads, branch.inner_channels());
    const bool convolution = branch.type != BranchType::kAttention;
    if ((branch.glu || branch.conv_channels != 0) && !(convolution && conv_linear)) {
      fail(name, "has a GLU or its own conv_channels, which needs a convolution with conv_linear");
    }
    if (convolution) {
      for (int layer = 0; layer < config.layers; ++layer) {
        require_positive(name + " kernel of layer " + std::to_string(layer),
                         config.kernel_size(branch, layer));
      }
    }
    channels += branch.channels;
  }
  if (!config.branches.empty() && channels != config.embed_dim) {
    fail(stack + "_branch_type", "has " + std::to_string(channels) + " channels, expected " +
                                     std::to_string(config.embed_dim) + " (" + stack +
                                     "_embed_dim)");
  }
}

void validate_stack(const std::string& stack, const StackConfig& config, bool conv_linear) {
  require_positive(stack + "_layers", config.layers);
  require_positive(stack + "_embed_dim", config.embed_dim);
  require_positive(stack + "_ffn_embed_dim", config.ffn_embed_dim);
  if (stack == "decoder" || config.branches.empty()) {
    require_divides(stack + "_attention_heads", config.attention_heads, config.embed_dim);
  }
  validate_branches(stack, config, conv_linear);
}

// The frequencies of the sinusoids are spaced by 1 / (embed_dim / 2 - 1): fairseq divides by zero
// where there is only one.
void validate_positions(const std::string& stack, const StackConfig& config) {
  if (!config.learned_positions && config.embed_dim / 2 == 1) {
    fail(stack + "_embed_dim",
         "= " + std::to_string(config.embed_dim) + " is too narrow for sinusoidal positions");
  }
}

// An encoder that is not there has nothing that an encoder has.
void validate_language_model(const ModelConfig& config) {
  if (config.encoder != StackConfig{.layers = 0} || config.source_vocabulary_size != 0) {
    fail("encoder_layers", "= 0 is for language models, which have no encoder at all");
  }
  if (config.share_all_embeddings) {
    fail("share_all_embeddings", "needs an encoder");
  }
  if (is_convolution_only(config)) {
    fail("arch", "is lightconv*, expected an encoder");
  }
  validate_bands(config);
}

void validate_single_convolution(const std::string& stack, const StackConfig& config) {
  if (config.branches.size() != 1 || config.branches[0].type == BranchType::kAttention) {
    fail("arch", "is lightconv*, expected one convolution per layer of the " + stack);
  }
}

}  // namespace

bool is_language_model(const ModelConfig& config) {
  return config.encoder.layers == 0;
}

bool is_convolution_only(const ModelConfig& config) {
  return config.arch.starts_with("lightconv");
}

int StackConfig::kernel_size(const BranchConfig& branch, int layer) const {
  if (branch.kernel_size != 0) {
    return branch.kernel_size;
  }
  const auto index = static_cast<std::size_t>(layer);
  return index < kernel_sizes.size() ? kernel_sizes[index] : 0;
}

void validate(const ModelConfig& config) {
  for (const auto& [name, stack] :
       {std::pair("encoder", &config.encoder), std::pair("decoder", &config.decoder)}) {
    if (is_language_model(config) && stack == &config.encoder) {
      continue;
    }
    validate_stack(name, *stack, config.conv_linear);
    if (config.token_positional_embeddings) {
      validate_positions(name, *stack);
    }
    if (is_convolution_only(config)) {
      validate_single_convolution(name, *stack);
    }
  }
  require_positive("target vocabulary size", config.target_vocabulary_size);
  if (is_language_model(config)) {
    validate_language_model(config);
    require_positive("max_target_positions", config.max_target_positions);
    return;
  }
  if (has_bands(config) || config.add_bos_token) {
    fail("encoder_layers",
         "is above 0, but adaptive inputs, adaptive softmax and add_bos_token "
         "are for language models");
  }
  require_positive("source vocabulary size", config.source_vocabulary_size);
  require_positive("max_source_positions", config.max_source_positions);
  require_positive("max_target_positions", config.max_target_positions);
  if (config.share_all_embeddings) {
    if (config.encoder.embed_dim != config.decoder.embed_dim) {
      fail("share_all_embeddings", "needs encoder_embed_dim = decoder_embed_dim");
    }
    if (config.source_vocabulary_size != config.target_vocabulary_size) {
      fail("share_all_embeddings", "needs one vocabulary, found " +
                                       std::to_string(config.source_vocabulary_size) + " and " +
                                       std::to_string(config.target_vocabulary_size) + " entries");
    }
  }
}

}  // namespace ltz
