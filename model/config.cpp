#include "model/config.h"

#include "model/error.h"

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

void validate_branches(const std::string& stack, const StackConfig& config) {
  int channels = 0;
  for (std::size_t b = 0; b < config.branches.size(); ++b) {
    const BranchConfig& branch = config.branches[b];
    const std::string name = stack + "_branch_type[" + std::to_string(b) + "]";
    require_positive(name + " channels", branch.channels);
    require_divides(name + " heads", branch.heads, branch.channels);
    if (branch.type != BranchType::kAttention) {
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

void validate_stack(const std::string& stack, const StackConfig& config) {
  require_positive(stack + "_layers", config.layers);
  require_positive(stack + "_embed_dim", config.embed_dim);
  require_positive(stack + "_ffn_embed_dim", config.ffn_embed_dim);
  if (stack == "decoder" || config.branches.empty()) {
    require_divides(stack + "_attention_heads", config.attention_heads, config.embed_dim);
  }
  validate_branches(stack, config);
}

}  // namespace

int StackConfig::kernel_size(const BranchConfig& branch, int layer) const {
  if (branch.kernel_size != 0) {
    return branch.kernel_size;
  }
  const auto index = static_cast<std::size_t>(layer);
  return index < kernel_sizes.size() ? kernel_sizes[index] : 0;
}

void validate(const ModelConfig& config) {
  validate_stack("encoder", config.encoder);
  validate_stack("decoder", config.decoder);
  require_positive("source vocabulary size", config.source_vocabulary_size);
  require_positive("target vocabulary size", config.target_vocabulary_size);
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
