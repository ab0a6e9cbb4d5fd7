#include "model/checkpoint/bands.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "model/base/error.h"

namespace ltz {
namespace {

constexpr std::size_t kMostCutoffs = 62;

[[noreturn]] void fail(const std::string& setting, const std::string& reason) {
  throw ConfigError("configuration: " + setting + " " + reason);
}

// Python's x // y, which is not the floor of the quotient that was rounded.
double floor_quotient(double x, double y) {
  const double quotient = (x - std::fmod(x, y)) / y;
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1.0 : floor;
}

// width: of the first band. None without a vocabulary, as of hyper-parameters alone.
std::vector<Band> bands_of(const BandsConfig& config, int vocabulary, int width) {
  std::vector<Band> bands;
  if (config.cutoffs.empty() || vocabulary == 0) {
    return bands;
  }
  std::vector<int> ends = config.cutoffs;
  if (ends.back() < vocabulary) {
    ends.push_back(vocabulary);
  }
  int first = 0;
  for (std::size_t b = 0; b < ends.size(); ++b) {
    const double own = floor_quotient(width, std::pow(config.factor, static_cast<double>(b)));
    bands.push_back({first, ends[b] - first, static_cast<int>(own)});
    first = ends[b];
  }
  return bands;
}

// width: of the first band.
void validate_cutoffs(const std::string& name, const BandsConfig& config, int vocabulary,
                      int width) {
  if (config.cutoffs.empty()) {
    return;
  }
  const std::string setting = name + "_cutoff";
  if (config.cutoffs.size() > kMostCutoffs) {
    fail(setting, "has " + std::to_string(config.cutoffs.size()) + " entries, expected at most " +
                      std::to_string(kMostCutoffs));
  }
  if (config.cutoffs.front() < 1 ||
      std::ranges::adjacent_find(config.cutoffs, std::greater_equal()) != config.cutoffs.end()) {
    fail(setting, "is not a list of ascending positive numbers");
  }
  if (config.cutoffs.back() > vocabulary) {
    fail(setting, "ends with " + std::to_string(config.cutoffs.back()) +
                      ", expected at most the vocabulary's " + std::to_string(vocabulary) +
                      " entries");
  }
  if (!std::isfinite(config.factor) || config.factor < 1.0) {
    fail(name + "_factor", "must be at least 1, found " + std::to_string(config.factor));
  }
  const std::vector<Band> bands = bands_of(config, vocabulary, width);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    if (bands[b].width < 1) {
      fail(name + "_factor", "= " + std::to_string(config.factor) + " leaves band " +
                                 std::to_string(b) + " without channels");
    }
  }
}

void validate_tied(const ModelConfig& config) {
  if (config.adaptive_input.cutoffs.empty() || config.adaptive_softmax.cutoffs.empty()) {
    fail("tie_adaptive_weights", "needs adaptive_input and adaptive_softmax_cutoff");
  }
  if (config.adaptive_input != config.adaptive_softmax) {
    fail("tie_adaptive_weights", "needs the same cutoffs and factor for input and softmax");
  }
}

// Channels of the first output band.
int output_width(const ModelConfig& config) {
  return config.tie_adaptive_weights ? input_width(config) : config.decoder.embed_dim;
}

}  // namespace

int input_width(const ModelConfig& config) {
  return config.decoder_input_dim == 0 ? config.decoder.embed_dim : config.decoder_input_dim;
}

std::vector<Band> input_bands(const ModelConfig& config) {
  return bands_of(config.adaptive_input, config.target_vocabulary_size, input_width(config));
}

std::vector<Band> output_bands(const ModelConfig& config) {
  return bands_of(config.adaptive_softmax, config.target_vocabulary_size, output_width(config));
}

std::string input_table(std::size_t band) {
  return "decoder.embed_tokens.embeddings." + std::to_string(band) + ".0.weight";
}

std::string input_projection(std::size_t band) {
  return "decoder.embed_tokens.embeddings." + std::to_string(band) + ".1.weight";
}

std::string tail_projection(std::size_t tail) {
  return "decoder.adaptive_softmax.tail." + std::to_string(tail) + ".0.weight";
}

std::string tail_table(std::size_t tail) {
  return "decoder.adaptive_softmax.tail." + std::to_string(tail) + ".2.weight";
}

std::string output_table(const ModelConfig& config, std::size_t band) {
  if (config.tie_adaptive_weights) {
    return input_table(band);
  }
  return band == 0 ? kSoftmaxHead : tail_table(band - 1);
}

bool has_bands(const ModelConfig& config) {
  return !config.adaptive_input.cutoffs.empty() || !config.adaptive_softmax.cutoffs.empty() ||
         config.tie_adaptive_weights || config.tie_adaptive_proj;
}

void validate_bands(const ModelConfig& config) {
  const int vocabulary = config.target_vocabulary_size;
  const bool adaptive_input = !config.adaptive_input.cutoffs.empty();
  if (input_width(config) < 1 ||
      (!adaptive_input && input_width(config) != config.decoder.embed_dim)) {
    fail("decoder_input_dim", "= " + std::to_string(config.decoder_input_dim) +
                                  " is not the width, which only adaptive_input can do with");
  }
  validate_cutoffs("adaptive_input", config.adaptive_input, vocabulary, input_width(config));
  validate_cutoffs("adaptive_softmax", config.adaptive_softmax, vocabulary, output_width(config));
  if (adaptive_input && config.adaptive_softmax.cutoffs.empty() &&
      config.share_decoder_input_output_embed) {
    fail("share_decoder_input_output_embed",
         "needs embeddings in one table, not those of adaptive_input");
  }
  if (config.tie_adaptive_weights) {
    validate_tied(config);
  } else if (config.tie_adaptive_proj) {
    fail("tie_adaptive_proj", "needs tie_adaptive_weights");
  }
}

}  // namespace ltz
