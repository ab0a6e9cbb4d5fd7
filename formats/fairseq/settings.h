#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"

// How fairseq's settings are read one by one. Everything here throws ConfigError that names the
// setting.
namespace ltz::formats {

// Far above anything trained; they keep products of two and per-layer lists small.
inline constexpr int kMaxLayers = 1000;
inline constexpr int kMaxWidth = 1 << 20;
inline constexpr int kMaxTaps = 1 << 10;
// As much as no limit: what a model file of ltz may say at most.
inline constexpr int kMaxPositions = 1 << 28;

[[noreturn]] void fail_setting(const std::string& setting, const std::string& reason);

// `args` of a checkpoint. A setting that is None counts as not set. Refers to the JSON.
class FairseqSettings {
 public:
  // Throws ConfigError unless args is an object.
  explicit FairseqSettings(const nlohmann::json& args);

  // nullptr when not set.
  const nlohmann::json* find(const std::string& name) const;
  // nullptr when not set.
  const nlohmann::json* list(const std::string& name) const;

  // From 0 to `highest`; 1024.0 is 1024.
  int integer(const std::string& name, int fallback, int highest) const;
  // From 0; above kMaxPositions, as is sys.maxsize, it is kMaxPositions.
  int positions(const std::string& name, int fallback) const;
  double number(const std::string& name, double fallback) const;
  // True, False, 1 or 0.
  bool flag(const std::string& name, bool fallback) const;
  std::string text(const std::string& name, const std::string& fallback) const;
  // A list, one integer, or one of these as a string, "[3,7,15]" (fairseq's eval_str_list).
  std::vector<int> integers(const std::string& name, std::vector<int> fallback, int highest) const;

  // For messages.
  static std::string shown(const nlohmann::json& value);

 private:
  const nlohmann::json& args_;
};

// The branches of a multi-branch stack ("encoder" or "decoder"), such as "dynamic:default:248:4":
// type, kernel size, channels, heads. The encoder tells the type by a word anywhere in the text,
// the decoder by the first field. glu: of the stack, with linear layers around convolutions.
std::vector<BranchConfig> parse_branches(const FairseqSettings& settings, const std::string& stack,
                                         bool glu);

// What a list of kernel sizes has to say about a stack's layers.
struct KernelSizeRules {
  std::vector<int> fallback;
  bool may_be_longer = false;  // entries beyond the last layer are cut off
};

// STACK_kernel_size_list, one entry a layer. A single entry holds for all layers.
std::vector<int> parse_kernel_sizes(const FairseqSettings& settings, const std::string& stack,
                                    int layers, const KernelSizeRules& rules);

}  // namespace ltz::formats
