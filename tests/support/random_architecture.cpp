#include "tests/support/random_architecture.h"

#include <cmath>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "model/checkpoint/bands.h"

namespace ltz {
namespace {

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  ModelConfig make() {
    ModelConfig config;
    const bool convolution_only = one_in(4);
    config.arch = convolution_only ? "lightconv" : "transformer_multibranch_v2";
    config.source_lang = "de";
    config.target_lang = "en";
    config.conv_linear = convolution_only || one_in(2);
    config.weight_softmax = !one_in(3);
    config.activation = !convolution_only && one_in(3) ? Activation::kGelu : Activation::kRelu;
    config.token_positional_embeddings = !one_in(5);
    config.max_source_positions = 40;
    config.max_target_positions = pick({33, 40});
    const int sharing = pick({0, 1, 2});
    config.share_all_embeddings = sharing == 2;
    config.share_decoder_input_output_embed = sharing >= 1;
    config.source_vocabulary_size = pick({9, 13, 16});
    config.target_vocabulary_size =
        config.share_all_embeddings ? config.source_vocabulary_size : pick({8, 11, 17});
    const int width = pick({4, 5, 6, 8, 9, 12, 15, 16, 21});
    const bool one_width = convolution_only || config.share_all_embeddings || one_in(2);
    config.encoder = make_stack(width, config);
    config.decoder = make_stack(one_width ? width : pick({4, 6, 7, 10, 12, 18}), config);
    return config;
  }

  ModelConfig make_language_model() {
    ModelConfig config;
    config.arch = one_in(4) ? "transformer_lm" : "transformer_lm_multibranch_v2";
    config.encoder = {.layers = 0};
    config.conv_linear = one_in(2);
    config.weight_softmax = !one_in(3);
    config.activation = static_cast<Activation>(below(5));
    config.token_positional_embeddings = !one_in(5);
    config.max_target_positions = pick({33, 40});
    config.add_bos_token = one_in(3);
    config.target_vocabulary_size = pick({9, 13, 17, 24});
    const int width = pick({4, 5, 6, 8, 9, 12, 15, 16, 21});
    config.decoder = make_stack(width, config);
    config.decoder.normalize_before = true;
    const bool adaptive_input = !one_in(4);
    if (adaptive_input) {
      const int input = pick({width, width, 4, 7, 10, 24});
      config.decoder_input_dim = input == width ? 0 : input;
      config.adaptive_input = make_bands(input, config.target_vocabulary_size);
    }
    switch (below(adaptive_input ? 6 : 3)) {
      case 0:  // a table of its own
        break;
      case 1:
        config.share_decoder_input_output_embed = !adaptive_input;
        break;
      case 2:
        config.adaptive_softmax = make_bands(width, config.target_vocabulary_size);
        break;
      case 3:
        config.tie_adaptive_proj = true;
        [[fallthrough]];
      default:
        config.tie_adaptive_weights = true;
        config.adaptive_softmax = config.adaptive_input;
        config.tie_adaptive_proj |= one_in(2);
    }
    return config;
  }

 private:
  // width: of the first band.
  BandsConfig make_bands(int width, int vocabulary) {
    BandsConfig bands;
    int last = 0;
    for (int b = pick({1, 2, 3}); b > 0 && last < vocabulary; --b) {
      last += 1 + below(vocabulary - last);
      bands.cutoffs.push_back(last);
    }
    bands.factor = std::vector{1.0, 1.5, 2.0, 2.5, 4.0}[static_cast<std::size_t>(below(5))];
    const auto narrowest = std::pow(bands.factor, static_cast<double>(bands.cutoffs.size()));
    bands.factor = narrowest > width ? 1.0 : bands.factor;
    return bands;
  }

  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool one_in(int chances) { return below(chances) == 0; }
  int pick(std::initializer_list<int> values) {
    return values.begin()[below(static_cast<int>(values.size()))];
  }

  int divisor_of(int number) {
    std::vector<int> divisors;
    for (int d = 1; d <= number; ++d) {
      if (number % d == 0) {
        divisors.push_back(d);
      }
    }
    return divisors[static_cast<std::size_t>(below(static_cast<int>(divisors.size())))];
  }

  // Odd, even, 1, and longer than the sentences.
  int kernel_size() { return pick({1, 2, 3, 4, 5, 7, 8, 31}); }

  BranchConfig make_branch(int channels, bool convolution, const ModelConfig& config) {
    BranchConfig branch;
    const int first = convolution ? 1 : 0;
    branch.type = static_cast<BranchType>(first + below(3 - first));
    branch.kernel_size = one_in(2) ? 0 : kernel_size();
    branch.channels = channels;
    if (branch.type != BranchType::kAttention && config.conv_linear) {
      branch.glu = one_in(2);
      branch.conv_channels = one_in(2) ? 0 : pick({1, 3, 4, 6, 10, 24});
    }
    branch.heads = divisor_of(branch.inner_channels());
    return branch;
  }

  StackConfig make_stack(int width, const ModelConfig& config) {
    StackConfig stack;
    stack.layers = pick({1, 2, 3});
    stack.embed_dim = width;
    stack.ffn_embed_dim = pick({1, 7, 16, 24});
    stack.attention_heads = divisor_of(width);
    stack.normalize_before = one_in(2);
    // All four combinations occur: old checkpoints, and --no-decoder-final-norm.
    stack.final_norm = one_in(2);
    stack.learned_positions = one_in(3);
    const bool convolution_only = is_convolution_only(config);
    const int branches = convolution_only ? 1 : below(5);
    int rest = width;
    for (int b = 0; b < branches; ++b) {
      const int left = branches - b - 1;  // branches that need a channel each
      const int channels = left == 0 ? rest : 1 + below(rest - left);
      stack.branches.push_back(make_branch(channels, convolution_only, config));
      rest -= channels;
    }
    for (int layer = 0; branches != 0 && layer < stack.layers; ++layer) {
      stack.kernel_sizes.push_back(kernel_size());
    }
    return stack;
  }

  std::mt19937 random_;
};

void add_features(const StackConfig& stack, const std::string& name, const ModelConfig& config,
                  std::set<std::string>& features) {
  const auto add = [&](const std::string& feature) { features.insert(name + ": " + feature); };
  add(std::to_string(stack.branches.size()) + " branches");
  add(std::to_string(stack.layers) + " layers");
  add(stack.embed_dim % 2 == 0 ? "even width" : "odd width");
  add(stack.normalize_before ? "pre-norm" : "post-norm");
  add(stack.final_norm ? "final norm" : "no final norm");
  add(!config.token_positional_embeddings ? "no positions"
      : stack.learned_positions           ? "learned positions"
                                          : "sinusoidal positions");
  for (const BranchConfig& branch : stack.branches) {
    if (branch.type == BranchType::kAttention) {
      add("attention");
      continue;
    }
    const std::string type =
        branch.type == BranchType::kDynamic ? "dynamic convolution" : "lightweight convolution";
    add(type + (!config.conv_linear ? " alone" : branch.glu ? " with GLU" : " with linear layers"));
    add(type + (config.weight_softmax ? " with softmax" : " without softmax"));
    add(branch.conv_channels != 0 ? "conv_channels" : "no conv_channels");
    add(branch.kernel_size == 0 ? "default kernels" : "fixed kernels");
    const int taps = stack.kernel_size(branch, 0);
    add(taps == 1 ? "one tap" : taps > 20 ? "long kernel" : taps % 2 == 0 ? "even" : "odd");
  }
}

void add_language_model_features(const ModelConfig& config, std::set<std::string>& features) {
  add_features(config.decoder, "decoder", config, features);
  features.insert(config.add_bos_token ? "<s>" : "no <s>");
  const std::vector<Band> input = input_bands(config);
  const std::vector<Band> output = output_bands(config);
  const auto add_bands = [&](const std::string& name, const std::vector<Band>& bands) {
    features.insert(name + " in " + std::to_string(bands.size()) + " bands");
  };
  add_bands("input", input);
  add_bands("output", output);
  if (!input.empty()) {
    features.insert(config.decoder_input_dim == 0                         ? "input as wide"
                    : config.decoder_input_dim < config.decoder.embed_dim ? "narrow input"
                                                                          : "wide input");
  }
  features.insert(output.empty()
                      ? config.share_decoder_input_output_embed ? "one table" : "a table of its own"
                  : config.tie_adaptive_proj    ? "tied projections"
                  : config.tie_adaptive_weights ? "tied tables"
                  : input.empty()               ? "only the output in bands"
                                                : "other bands");
}

}  // namespace

ModelConfig random_architecture(unsigned seed) {
  return Generator(seed).make();
}

ModelConfig random_language_model(unsigned seed) {
  return Generator(seed).make_language_model();
}

std::set<std::string> features_of(const ModelConfig& config) {
  std::set<std::string> features;
  if (is_language_model(config)) {
    add_language_model_features(config, features);
    return features;
  }
  features.insert(is_convolution_only(config) ? "convolution only" : "transformer");
  features.insert(config.share_all_embeddings               ? "one table"
                  : config.share_decoder_input_output_embed ? "two tables"
                                                            : "three tables");
  features.insert(config.activation == Activation::kRelu ? "ReLU" : "GELU");
  features.insert(config.encoder.embed_dim == config.decoder.embed_dim ? "one width"
                                                                       : "two widths");
  add_features(config.encoder, "encoder", config, features);
  add_features(config.decoder, "decoder", config, features);
  return features;
}

std::vector<TokenIds> some_sentences(std::initializer_list<int> lengths, int vocabulary, int step) {
  std::vector<TokenIds> sentences;
  for (const int length : lengths) {
    TokenIds& sentence = sentences.emplace_back();
    for (int i = 0; i < length; ++i) {
      sentence.push_back(Vocabulary::kUnk + (step * i + length) % (vocabulary - Vocabulary::kUnk));
    }
    sentence.push_back(Vocabulary::kEos);
  }
  return sentences;
}

SomeText some_text(std::initializer_list<int> lengths, const ModelConfig& config) {
  SomeText text{.sources = std::vector<TokenIds>(lengths.size()),
                .targets = some_sentences(lengths, config.target_vocabulary_size, 5)};
  std::swap(text.targets.front(), text.targets.back());
  if (!is_language_model(config)) {
    text.sources = some_sentences(lengths, config.source_vocabulary_size, 3);
  }
  for (TokenIds& target : text.targets) {
    if (config.add_bos_token) {
      target.insert(target.begin(), Vocabulary::kBos);
    }
  }
  return text;
}

}  // namespace ltz
