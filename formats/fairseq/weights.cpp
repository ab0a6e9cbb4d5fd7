// Facts: the upgrade_state_dict_named() functions of fairseq/models/transformer_multibranch_v2.py
// and fairseq/modules/multihead_attention.py, and the layers of fairseq/models/lightconv.py and of
// fairseq/modules/lightconv_layer of mit-han-lab/lite-transformer. The output projection is
// `decoder.embed_out` there and `decoder.output_projection.weight` in fairseq 0.10 and later.

#include "formats/fairseq/weights.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>

#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kEncoderTable = "encoder.embed_tokens.weight";
constexpr std::string_view kDecoderTable = "decoder.embed_tokens.weight";
constexpr std::string_view kOutputTable = "decoder.embed_out";

// How a part of a layer of a convolution-only model is called, the first that fits counts.
struct LayerPart {
  std::string_view stack;  // "": both
  std::string_view canonical;
  std::string_view fairseq;
};

constexpr LayerPart kConvolutionOnlyParts[] = {
    {"", "self_attn.branches.0.linear1.", "linear1."},
    {"", "self_attn.branches.0.linear2.", "linear2."},
    {"", "self_attn.branches.0.", "conv."},
    {"encoder", "self_attn_layer_norm.", "layer_norms.0."},
    {"encoder", "final_layer_norm.", "layer_norms.1."},
    {"decoder", "self_attn_layer_norm.", "conv_layer_norm."},
};

// "encoder.layers.3." of a parameter in a layer; nothing for others.
std::string_view layer_prefix(std::string_view name) {
  static constexpr std::string_view kLayers = "coder.layers.";
  const std::size_t digits = 2 + kLayers.size();  // behind "en" or "de"
  if (name.size() < digits || name.substr(2, kLayers.size()) != kLayers) {
    return {};
  }
  const std::size_t dot = name.find('.', digits);
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot + 1);
}

// The name with the part of the layer called `to` instead of `from`.
std::string translated(const ModelConfig& config, const std::string& name,
                       std::string_view LayerPart::*from, std::string_view LayerPart::*to) {
  const std::string_view prefix = layer_prefix(name);
  if (!is_convolution_only(config) || prefix.empty()) {
    return name;
  }
  const std::string_view rest = std::string_view(name).substr(prefix.size());
  for (const LayerPart& part : kConvolutionOnlyParts) {
    if (prefix.starts_with(part.stack) && rest.starts_with(part.*from)) {
      return fmt::format("{}{}{}", prefix, part.*to, rest.substr((part.*from).size()));
    }
  }
  return name;
}

std::optional<double> version_of(const TorchTensors& tensors, const std::string& stack) {
  const auto found = tensors.find(stack + ".version");
  if (found == tensors.end()) {
    return std::nullopt;
  }
  const TorchTensor& version = found->second;
  if (version.floats.size() + version.integers.size() != 1) {
    throw FormatError("tensor " + found->first + ": expected one element, found shape " +
                      ltz::to_string(version.shape));
  }
  return version.floats.empty() ? static_cast<double>(version.integers[0])
                                : static_cast<double>(version.floats[0]);
}

void apply_version(TorchTensors& tensors, const std::string& stack, double first_with_norm,
                   StackConfig& config) {
  const std::string norm = stack + ".layer_norm.";
  const std::optional<double> version = version_of(tensors, stack);
  // Without a version fairseq assumes the first one. But tools that drop all buffers drop it too,
  // and then the tensors tell.
  if (version ? *version < first_with_norm : !tensors.contains(norm + "weight")) {
    config.final_norm = false;
    tensors.erase(norm + "weight");
    tensors.erase(norm + "bias");
  }
}

std::string upgraded_name(const ModelConfig& config, std::string name) {
  if (name == "decoder.output_projection.weight") {
    return std::string(kOutputTable);
  }
  if (is_convolution_only(config)) {
    return canonical_name(config, name);
  }
  static constexpr std::string_view kOldBranches = ".branchs.";
  if (const std::size_t old = name.find(kOldBranches); old != std::string::npos) {
    name.replace(old, kOldBranches.size(), ".branches.");
  }
  static constexpr std::string_view kOldNorms = ".layer_norms.";
  const std::size_t at = name.find(kOldNorms);
  const std::size_t digit = at + kOldNorms.size();
  if (at == std::string::npos || digit + 1 >= name.size() || name[digit + 1] != '.') {
    return name;
  }
  const bool encoder = name.starts_with("encoder.");
  const char* norm = nullptr;
  if (name[digit] == '0') {
    norm = ".self_attn_layer_norm";
  } else if (name[digit] == '1') {
    norm = encoder ? ".final_layer_norm" : ".encoder_attn_layer_norm";
  } else if (name[digit] == '2' && !encoder) {
    norm = ".final_layer_norm";
  } else {
    return name;
  }
  return name.substr(0, at) + norm + name.substr(digit + 1);
}

void insert_new(TorchTensors& tensors, const std::string& name, TorchTensor tensor,
                const std::string& old_name) {
  if (!tensors.emplace(name, std::move(tensor)).second) {
    throw FormatError(fmt::format("tensor {}: is there also as {}", name, old_name));
  }
}

// part: 0 for q, 1 for k, 2 for v.
TorchTensor third_of(const TorchTensor& packed, std::ptrdiff_t part) {
  TorchTensor out{packed.type, packed.shape, {}, {}};
  out.shape[0] /= 3;
  const auto length = static_cast<std::ptrdiff_t>(packed.floats.size() / 3);
  const auto start = packed.floats.begin() + part * length;
  out.floats.assign(start, start + length);
  return out;
}

void split_packed(TorchTensors& tensors, const std::string& name, std::string_view kind) {
  const std::string module =
      name.substr(0, name.size() - (std::string("in_proj_").size() + kind.size()));
  const TorchTensor packed = std::move(tensors.extract(name).mapped());
  if (packed.shape.empty() || packed.shape[0] % 3 != 0 || !packed.integers.empty()) {
    throw FormatError(
        fmt::format("tensor {}: expected three floating-point matrices on top of "
                    "each other, found shape {}",
                    name, ltz::to_string(packed.shape)));
  }
  static constexpr std::string_view kParts[] = {"q_proj", "k_proj", "v_proj"};
  for (std::size_t part = 0; part < 3; ++part) {
    insert_new(tensors, fmt::format("{}{}.{}", module, kParts[part], kind),
               third_of(packed, static_cast<std::ptrdiff_t>(part)), name);
  }
}

bool equal_bits(const TorchTensor& a, const TorchTensor& b) {
  return a.shape == b.shape && a.integers == b.integers &&
         std::equal(a.floats.begin(), a.floats.end(), b.floats.begin(), b.floats.end(),
                    [](float x, float y) {
                      return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
                    });
}

void merge(TorchTensors& tensors, std::string_view first_name, std::string_view second_name) {
  const std::string first(first_name);
  const std::string second(second_name);
  const auto copy = tensors.find(second);
  if (copy == tensors.end()) {
    return;
  }
  const auto kept = tensors.find(first);
  if (kept == tensors.end()) {
    auto node = tensors.extract(copy);
    node.key() = first;
    tensors.insert(std::move(node));
    return;
  }
  if (!equal_bits(kept->second, copy->second)) {
    throw FormatError(fmt::format(
        "tensors {} {} and {} {} differ, but are one for the configuration", first,
        ltz::to_string(kept->second.shape), second, ltz::to_string(copy->second.shape)));
  }
  tensors.erase(copy);
}

// The number of bands depends on the size of the vocabulary, which the tensors tell later on: what
// there is under both names is one.
void merge_tied_bands(TorchTensors& tensors, const ModelConfig& config) {
  // With a projection of its own in front of it, or without.
  merge(tensors, input_table(0), "decoder.adaptive_softmax.head.word_proj.1.weight");
  merge(tensors, input_table(0), "decoder.adaptive_softmax.head.word_proj.weight");
  for (std::size_t band = 1; band <= config.adaptive_softmax.cutoffs.size(); ++band) {
    merge(tensors, input_table(band), tail_table(band - 1));
    if (config.tie_adaptive_proj) {
      merge(tensors, input_projection(band), tail_projection(band - 1));
    }
  }
}

}  // namespace

std::string fairseq_name(const ModelConfig& config, const std::string& name) {
  return translated(config, name, &LayerPart::canonical, &LayerPart::fairseq);
}

std::string canonical_name(const ModelConfig& config, const std::string& fairseq_name) {
  return translated(config, fairseq_name, &LayerPart::fairseq, &LayerPart::canonical);
}

void apply_versions(TorchTensors& tensors, ModelConfig& config) {
  if (is_convolution_only(config)) {
    return;
  }
  if (!is_language_model(config)) {
    apply_version(tensors, "encoder", 2, config.encoder);
  }
  // fairseq: "<= 2"; the versions are whole numbers.
  apply_version(tensors, "decoder", 3, config.decoder);
}

void drop_buffers(TorchTensors& tensors) {
  for (const std::string stack : {"encoder", "decoder"}) {
    tensors.erase(stack + ".version");
    tensors.erase(stack + ".embed_positions._float_tensor");
    // The table of sinusoidal positions; a learned one is called "weight".
    tensors.erase(stack + ".embed_positions.weights");
  }
  for (const char* name : {"decoder.embed_tokens._float_tensor", "decoder.adaptive_softmax.version",
                           "decoder.adaptive_softmax.head._float_tensor"}) {
    tensors.erase(name);
  }
}

void upgrade_names(TorchTensors& tensors, const ModelConfig& config) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    names.push_back(name);
  }
  for (const std::string& name : names) {
    const std::string upgraded = upgraded_name(config, name);
    if (upgraded != name) {
      insert_new(tensors, upgraded, std::move(tensors.extract(name).mapped()), name);
    }
    if (upgraded.ends_with(".in_proj_weight")) {
      split_packed(tensors, upgraded, "weight");
    } else if (upgraded.ends_with(".in_proj_bias")) {
      split_packed(tensors, upgraded, "bias");
    }
  }
}

void reshape_kernels(TorchTensors& tensors, const ModelConfig& config) {
  require_tensors_for_layers(config, tensors.size());
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const auto found = tensors.find(spec.name);
    if (spec.role == Role::kKernel && found != tensors.end() &&
        found->second.shape == Shape{spec.shape[0], spec.shape[2]}) {
      found->second.shape = spec.shape;
    }
  }
}

void merge_tied(TorchTensors& tensors, const ModelConfig& config) {
  if (config.share_all_embeddings) {
    merge(tensors, kEncoderTable, kDecoderTable);
    merge(tensors, kEncoderTable, kOutputTable);
  } else if (config.share_decoder_input_output_embed) {
    merge(tensors, kDecoderTable, kOutputTable);
  }
  if (config.tie_adaptive_weights) {
    merge_tied_bands(tensors, config);
  }
}

}  // namespace ltz::formats
