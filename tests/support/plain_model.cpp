#include "tests/support/plain_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ltz {
namespace {

void softmax(std::vector<double>& x) {
  const double largest = *std::ranges::max_element(x);
  double sum = 0.0;
  for (double& value : x) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (double& value : x) {
    value /= sum;
  }
}

// Row `position` of the sinusoidal table; an odd width ends with a zero.
std::vector<double> sinusoid(int position, int width) {
  const int half = width / 2;
  std::vector<double> row(static_cast<std::size_t>(width), 0.0);
  for (int i = 0; i < half; ++i) {
    const double angle = position * std::pow(10000.0, -static_cast<double>(i) / (half - 1));
    row[static_cast<std::size_t>(i)] = std::sin(angle);
    row[static_cast<std::size_t>(half + i)] = std::cos(angle);
  }
  return row;
}

PlainModel::Rows columns(const PlainModel::Rows& x, std::size_t first, std::size_t count) {
  PlainModel::Rows part;
  for (const auto& row : x) {
    const auto begin = row.begin() + static_cast<std::ptrdiff_t>(first);
    part.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(count));
  }
  return part;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kGelu:
      return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kLinear:
      return x;
  }
  return x;
}

std::vector<bool> padding_of(const TokenIds& tokens) {
  std::vector<bool> padding;
  for (const int token : tokens) {
    padding.push_back(token == Vocabulary::kPad);
  }
  return padding;
}

void zero_rows(PlainModel::Rows& x, const std::vector<bool>& which) {
  for (std::size_t t = 0; t < x.size(); ++t) {
    if (which[t]) {
      std::ranges::fill(x[t], 0.0);
    }
  }
}

PlainModel::Rows gated(const PlainModel::Rows& x) {
  PlainModel::Rows out;
  for (const auto& row : x) {
    const std::size_t half = row.size() / 2;
    auto& y = out.emplace_back(half);
    for (std::size_t c = 0; c < half; ++c) {
      y[c] = row[c] / (1.0 + std::exp(-row[half + c]));
    }
  }
  return out;
}

}  // namespace

PlainModel::PlainModel(const Checkpoint& checkpoint) : config_(checkpoint.config) {
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::vector<float> values = tensor.values();
    parameters_[name].assign(values.begin(), values.end());
  }
}

const std::vector<double>& PlainModel::parameter(const std::string& name) const {
  return parameters_.at(name);
}

PlainModel::Rows PlainModel::linear(const Rows& x, const std::string& name) const {
  const auto& weight = parameter(name + ".weight");
  const auto bias = parameters_.find(name + ".bias");
  const std::size_t in = x.front().size();
  const std::size_t out = weight.size() / in;
  Rows y;
  for (const auto& row : x) {
    auto& sums = y.emplace_back(out, 0.0);
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        sums[o] += weight[o * in + i] * row[i];
      }
      sums[o] += bias == parameters_.end() ? 0.0 : bias->second[o];
    }
  }
  return y;
}

void PlainModel::normalize(Rows& x, const std::string& name) const {
  const auto& gain = parameter(name + ".weight");
  const auto& bias = parameter(name + ".bias");
  for (auto& row : x) {
    double mean = 0.0;
    double variance = 0.0;
    for (const double value : row) {
      mean += value / static_cast<double>(row.size());
    }
    for (const double value : row) {
      variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
    }
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] = (row[c] - mean) / std::sqrt(variance + 1e-5) * gain[c] + bias[c];
    }
  }
}

PlainModel::Rows PlainModel::embed(const TokenIds& tokens, Stack which) const {
  const bool encoder = which == Stack::kEncoder;
  const std::string name = encoder ? "encoder" : "decoder";
  const StackConfig& stack = encoder ? config_.encoder : config_.decoder;
  const auto width = static_cast<std::size_t>(stack.embed_dim);
  Rows x;
  int next = 2;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    auto& row = x.emplace_back(width);
    const bool padding = encoder && tokens[t] == Vocabulary::kPad;
    const int position = padding ? 1 : next++;
    std::vector<double> offset(width, 0.0);
    if (config_.token_positional_embeddings && stack.learned_positions) {
      const auto& learned = parameter(name + ".embed_positions.weight");
      for (std::size_t c = 0; c < width; ++c) {
        offset[c] = learned[static_cast<std::size_t>(position) * width + c];
      }
    } else if (config_.token_positional_embeddings && !padding) {
      offset = sinusoid(position, stack.embed_dim);
    }
    const std::vector<double> vector = token_vector(tokens[t], which);
    for (std::size_t c = 0; c < width; ++c) {
      row[c] = vector[c] * std::sqrt(static_cast<double>(width)) + offset[c];
    }
  }
  return x;
}

PlainModel::Rows PlainModel::attention(const Rows& queries, const Rows& memory, int heads,
                                       const std::string& name, const Visible& visible) const {
  const Rows q = linear(queries, name + ".q_proj");
  const Rows k = linear(memory, name + ".k_proj");
  const Rows v = linear(memory, name + ".v_proj");
  const std::size_t width = q.front().size() / static_cast<std::size_t>(heads);
  Rows mixed(q.size(), std::vector<double>(q.front().size(), 0.0));
  for (std::size_t t = 0; t < q.size(); ++t) {
    for (std::size_t first = 0; first < q.front().size(); first += width) {
      std::vector<double> weights;
      std::vector<std::size_t> seen;
      for (std::size_t s = 0; s < k.size(); ++s) {
        if (visible(t, s)) {
          double dot = 0.0;
          for (std::size_t c = first; c < first + width; ++c) {
            dot += q[t][c] * k[s][c];
          }
          weights.push_back(dot / std::sqrt(static_cast<double>(width)));
          seen.push_back(s);
        }
      }
      softmax(weights);
      for (std::size_t i = 0; i < seen.size(); ++i) {
        for (std::size_t c = first; c < first + width; ++c) {
          mixed[t][c] += weights[i] * v[seen[i]][c];
        }
      }
    }
  }
  return linear(mixed, name + ".out_proj");
}

PlainModel::Rows PlainModel::convolution(Rows x, const BranchConfig& branch, int taps, bool causal,
                                         const Padding& padding, const std::string& name) const {
  const bool masks_late = config_.arch.starts_with("lightconv");
  if (!masks_late) {
    zero_rows(x, padding);
  }
  if (config_.conv_linear) {
    x = linear(x, name + ".linear1");
  }
  if (branch.glu) {
    x = gated(x);
  }
  if (masks_late) {
    zero_rows(x, padding);
  }
  const Rows dynamic =
      branch.type == BranchType::kDynamic ? linear(x, name + ".weight_linear") : Rows();
  const auto count = static_cast<std::size_t>(taps);
  const std::size_t channels_per_head = x.front().size() / static_cast<std::size_t>(branch.heads);
  const int left = causal ? taps - 1 : (taps - 1) / 2;
  Rows mixed(x.size(), std::vector<double>(x.front().size(), 0.0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t c = 0; c < x.front().size(); ++c) {
      const auto& all = dynamic.empty() ? parameter(name + ".weight") : dynamic[t];
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(c / channels_per_head * count);
      std::vector<double> kernel(first, first + taps);
      if (config_.weight_softmax) {
        softmax(kernel);
      }
      for (int k = 0; k < taps; ++k) {
        const int from = static_cast<int>(t) - left + k;
        if (from >= 0 && from < static_cast<int>(x.size())) {
          mixed[t][c] += kernel[static_cast<std::size_t>(k)] * x[static_cast<std::size_t>(from)][c];
        }
      }
    }
  }
  return config_.conv_linear ? linear(mixed, name + ".linear2") : mixed;
}

PlainModel::Rows PlainModel::mix(const Rows& x, const StackConfig& stack, int layer, bool causal,
                                 const Padding& padding, const std::string& name) const {
  const Visible visible = [&](std::size_t query, std::size_t key) {
    return causal ? key <= query : !padding[key];
  };
  if (stack.branches.empty()) {
    return attention(x, x, stack.attention_heads, name, visible);
  }
  Rows out(x.size());
  std::size_t first = 0;
  for (std::size_t b = 0; b < stack.branches.size(); ++b) {
    const BranchConfig& branch = stack.branches[b];
    const std::string branch_name = name + ".branches." + std::to_string(b);
    const auto channels = static_cast<std::size_t>(branch.channels);
    const Rows part = columns(x, first, channels);
    const int taps = branch.kernel_size != 0 || branch.type == BranchType::kAttention
                         ? branch.kernel_size
                         : stack.kernel_sizes[static_cast<std::size_t>(layer)];
    const Rows mixed = branch.type == BranchType::kAttention
                           ? attention(part, part, branch.heads, branch_name, visible)
                           : convolution(part, branch, taps, causal, padding, branch_name);
    for (std::size_t t = 0; t < x.size(); ++t) {
      out[t].insert(out[t].end(), mixed[t].begin(), mixed[t].end());
    }
    first += channels;
  }
  return out;
}

PlainModel::Rows PlainModel::feed_forward(const Rows& x, const std::string& name) const {
  Rows hidden = linear(x, name + ".fc1");
  for (auto& row : hidden) {
    for (double& value : row) {
      value = activated(value, config_.activation);
    }
  }
  return linear(hidden, name + ".fc2");
}

void PlainModel::residual(Rows& x, const StackConfig& stack, const std::string& norm,
                          const std::function<Rows(const Rows&)>& f) const {
  Rows input = x;
  if (stack.normalize_before) {
    normalize(input, norm);
  }
  const Rows y = f(input);
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t c = 0; c < x[t].size(); ++c) {
      x[t][c] += y[t][c];
    }
  }
  if (!stack.normalize_before) {
    normalize(x, norm);
  }
}

PlainModel::Rows PlainModel::encode(const TokenIds& sentence, std::size_t padded_length) const {
  TokenIds tokens = sentence;
  tokens.resize(std::max(padded_length, sentence.size()), Vocabulary::kPad);
  Rows x = embed(tokens, Stack::kEncoder);
  for (int l = 0; l < config_.encoder.layers; ++l) {
    const std::string name = "encoder.layers." + std::to_string(l);
    residual(x, config_.encoder, name + ".self_attn_layer_norm", [&](const Rows& input) {
      return mix(input, config_.encoder, l, false, padding_of(tokens), name + ".self_attn");
    });
    residual(x, config_.encoder, name + ".final_layer_norm",
             [&](const Rows& input) { return feed_forward(input, name); });
  }
  if (config_.encoder.final_norm) {
    normalize(x, "encoder.layer_norm");
  }
  x.resize(sentence.size());
  return x;
}

PlainModel::Rows PlainModel::logits(const TokenIds& sentence, const TokenIds& target) const {
  const bool language_model = config_.encoder.layers == 0;
  const Rows source = language_model ? Rows() : encode(sentence);
  TokenIds inputs = {Vocabulary::kEos};
  inputs.insert(inputs.end(), target.begin(), target.end() - 1);
  if (config_.add_bos_token) {  // which the target begins with, too
    std::swap(inputs[0], inputs[1]);
  }
  Rows x = embed(inputs, Stack::kDecoder);
  for (int l = 0; l < config_.decoder.layers; ++l) {
    const std::string name = "decoder.layers." + std::to_string(l);
    residual(x, config_.decoder, name + ".self_attn_layer_norm", [&](const Rows& input) {
      return mix(input, config_.decoder, l, true, Padding(x.size()), name + ".self_attn");
    });
    if (!language_model) {
      residual(x, config_.decoder, name + ".encoder_attn_layer_norm", [&](const Rows& input) {
        return attention(input, source, config_.decoder.attention_heads, name + ".encoder_attn",
                         [&](std::size_t, std::size_t key) { return !padding_of(sentence)[key]; });
      });
    }
    residual(x, config_.decoder, name + ".final_layer_norm",
             [&](const Rows& input) { return feed_forward(input, name); });
  }
  if (config_.decoder.final_norm) {
    normalize(x, "decoder.layer_norm");
  }
  return config_.adaptive_softmax.cutoffs.empty() ? multiply_with_table(x)
                                                  : adaptive_log_probabilities(x);
}

}  // namespace ltz
