#include "eval/budget/device.h"

#include <algorithm>
#include <array>

#include "eval/budget/accounting.h"
#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "model/layers/transformer.h"
#include "model/layers/transformer_layers.h"
#include "model/text/vocabulary.h"

namespace ltz::eval {
namespace {

constexpr std::array kDevices = {Device{"cortex-a72", "ARM Cortex-A72, 4 cores at 1.5 GHz", 48e9}};

constexpr std::int64_t kTokens = 30;
constexpr double kMultAdds = 500e6;
constexpr double kParameters = 10e6;
constexpr double kSentences = 50.0;

std::int64_t position_elements(const ModelConfig& config, const StackConfig& stack, int longest) {
  const bool computed = config.token_positional_embeddings && !stack.learned_positions;
  const std::int64_t rows = std::min(longest, kTabledPositions) + Vocabulary::kPad + 1;
  return computed ? rows * stack.embed_dim : 0;
}

// What is stored once and laid out anew for the output projection: tables that are embeddings, too,
// and projections that are used in both directions.
std::int64_t tied_output_elements(const ModelConfig& config) {
  const std::int64_t width = config.decoder.embed_dim;
  if (config.adaptive_softmax.cutoffs.empty()) {
    return output_table(config) == "decoder.embed_out" ? 0 : config.target_vocabulary_size * width;
  }
  std::int64_t elements = 0;
  const std::vector<Band> bands = output_bands(config);
  for (std::size_t b = 0; config.tie_adaptive_weights && b < bands.size(); ++b) {
    elements += std::int64_t{bands[b].size} * bands[b].width;
    elements += b != 0 && config.tie_adaptive_proj ? bands[b].width * width : 0;
  }
  return elements;
}

}  // namespace

std::span<const Device> devices() {
  return kDevices;
}

const Device& find_device(std::string_view name) {
  const auto found = std::ranges::find(kDevices, name, &Device::name);
  if (found == kDevices.end()) {
    std::string known;
    for (const Device& device : kDevices) {
      known += (known.empty() ? "" : ", ") + std::string(device.name);
    }
    throw ConfigError("unknown device " + std::string(name) + ", expected one of: " + known);
  }
  return *found;
}

std::vector<DeviceLimit> device_limits(const ModelConfig& config, const Device& device) {
  const auto products = static_cast<double>(mult_adds(config, kTokens, kTokens));
  const auto parameters = static_cast<double>(count_parameters(config).paper);
  const char* label =
      is_language_model(config) ? "Mult-Adds (30 tokens)" : "Mult-Adds (30 + 30 tokens)";
  return {{"mult_adds", label, products, kMultAdds, true},
          {"parameters", "parameters as the paper counts", parameters, kParameters, true},
          {"sentences_per_second", "sentences a second, at the peak",
           device.flops / (2.0 * products), kSentences, false}};
}

std::int64_t loaded_bytes(const ModelConfig& config) {
  std::int64_t elements = count_parameters(config).total + tied_output_elements(config);
  if (!is_language_model(config)) {
    elements += position_elements(config, config.encoder, config.max_source_positions);
  }
  elements += position_elements(config, config.decoder, config.max_target_positions);
  return fp32_bytes(elements);
}

}  // namespace ltz::eval
