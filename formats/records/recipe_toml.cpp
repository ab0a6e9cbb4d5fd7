#define TOML_EXCEPTIONS 1
#include "formats/records/recipe_toml.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

int line_of(const toml::table& table, std::string_view key) {
  return static_cast<int>(table[key].node()->source().begin.line);
}

// Keys that are known, but would change nothing here.
void refuse_keys(const toml::table& table, std::span<const std::string_view> keys,
                 std::string_view reason) {
  for (const std::string_view key : keys) {
    if (table.contains(key)) {
      throw FormatError(
          fmt::format("line {}: {} has no effect: {}", line_of(table, key), key, reason));
    }
  }
}

void refuse_key(const toml::table& table, std::string_view key, std::string_view reason) {
  refuse_keys(table, std::span(&key, 1), reason);
}

void refuse_unknown_keys(const toml::table& table, std::span<const std::string_view> known) {
  for (const auto& [key, value] : table) {
    if (std::ranges::find(known, key.str()) == known.end()) {
      throw FormatError(
          fmt::format("line {}: unknown key \"{}\"", value.source().begin.line, key.str()));
    }
  }
}

template <typename Value, typename Target>
void read(const toml::table& table, std::string_view key, Target& target) {
  const auto node = table[key];
  if (!node) {
    return;
  }
  // Where an integer is wanted, toml++ casts a float to one before it looks at its size.
  const auto* number = node.as_floating_point();
  const bool too_large =
      std::is_integral_v<Value> && number != nullptr && !(std::abs(number->get()) < 0x1p53);
  const std::optional<Value> value = too_large ? std::nullopt : node.value<Value>();
  if (!value) {
    throw FormatError(fmt::format("line {}: {} has the wrong type", line_of(table, key), key));
  }
  target = *value;
}

constexpr std::string_view kIsCalibrated = "the recipe is calibrated";
constexpr std::string_view kIsNotCalibrated = "the recipe is not calibrated";

compress::Override read_override(const toml::table& table, bool calibrated) {
  static constexpr std::array<std::string_view, 5> kKeys = {"pattern", "bits", "sparsity",
                                                            "keep_float", "care"};
  refuse_unknown_keys(table, kKeys);
  static constexpr std::array<std::string_view, 2> kOfPruning = {"bits", "sparsity"};
  static constexpr std::array<std::string_view, 1> kOfCalibrated = {"care"};
  if (calibrated) {
    refuse_keys(table, kOfPruning, kIsCalibrated);
  } else {
    refuse_keys(table, kOfCalibrated, kIsNotCalibrated);
  }
  compress::Override entry;
  read<std::string>(table, "pattern", entry.pattern);
  read<int>(table, "bits", entry.bits);
  read<double>(table, "sparsity", entry.sparsity);
  read<bool>(table, "keep_float", entry.keep_float);
  read<double>(table, "care", entry.care);
  if (entry.pattern.empty()) {
    throw FormatError(
        fmt::format("line {}: a [[tensor]] needs a pattern", table.source().begin.line));
  }
  return entry;
}

// Of two tables for one pattern, the later one wins; where both set a key, one of them is a
// mistake.
void refuse_second_table(const toml::array& tables, std::size_t second) {
  const toml::table& table = *tables[second].as_table();
  for (std::size_t first = 0; first < second; ++first) {
    const toml::table& other = *tables[first].as_table();
    for (const auto& [key, value] : table) {
      const bool both = key.str() != "pattern" && other.contains(key.str());
      if (both && other["pattern"].value<std::string>() == table["pattern"].value<std::string>()) {
        throw FormatError(fmt::format(
            "line {}: {} of the pattern \"{}\" is set in line {}, too", value.source().begin.line,
            key.str(), table["pattern"].value_or(std::string()), line_of(other, key.str())));
      }
    }
  }
}

std::vector<compress::Override> read_overrides(const toml::table& table, bool calibrated) {
  std::vector<compress::Override> overrides;
  if (!table.contains("tensor")) {
    return overrides;
  }
  const auto* tables = table["tensor"].as_array();
  if (tables == nullptr || !tables->is_homogeneous<toml::table>()) {
    throw FormatError("tensor must be written as [[tensor]]");
  }
  for (std::size_t i = 0; i < tables->size(); ++i) {
    overrides.push_back(read_override(*(*tables)[i].as_table(), calibrated));
    refuse_second_table(*tables, i);
  }
  return overrides;
}

compress::Slope parse_slope(const std::string& name) {
  if (name != "least-squares" && name != "same-variance") {
    throw FormatError(fmt::format(
        "layer_norm_repair: expected least-squares or same-variance, found \"{}\"", name));
  }
  return name == "least-squares" ? compress::Slope::kLeastSquares : compress::Slope::kSameVariance;
}

void read_without(const toml::table& table, std::set<compress::Technique>& without) {
  if (!table.contains("without")) {
    return;
  }
  const auto* names = table["without"].as_array();
  if (names == nullptr) {
    throw FormatError("without must be a list of names");
  }
  for (const toml::node& node : *names) {
    const std::string name = node.value_or(std::string());
    const auto all = compress::all_techniques();
    const auto found =
        std::ranges::find(all, name, [](auto technique) { return to_string(technique); });
    if (found == all.end()) {
      throw FormatError(
          fmt::format("line {}: no technique is called \"{}\"", node.source().begin.line, name));
    }
    without.insert(*found);
  }
}

constexpr std::array<std::string_view, 10> kPruningKeys = {"bits",
                                                           "embedding_bits",
                                                           "init",
                                                           "kmeans_iterations",
                                                           "prune",
                                                           "prune_embeddings",
                                                           "quantize_embeddings",
                                                           "max_sparsity",
                                                           "seed",
                                                           "sparsity"};
constexpr std::array<std::string_view, 4> kCalibratedKeys = {
    "max_divergence", "max_bits_per_weight", "without", "layer_norm_repair"};

compress::PruningMethod read_pruning(const toml::table& table, compress::PruningMethod method) {
  refuse_keys(table, kCalibratedKeys, kIsNotCalibrated);
  read<int>(table, "bits", method.bits);
  read<int>(table, "embedding_bits", method.embedding_bits);
  std::string init;
  read<std::string>(table, "init", init);
  if (!init.empty()) {
    method.init = parse_init(init);
  }
  read<int>(table, "kmeans_iterations", method.kmeans_iterations);
  read<bool>(table, "prune", method.prune);
  read<bool>(table, "prune_embeddings", method.prune_embeddings);
  read<bool>(table, "quantize_embeddings", method.quantize_embeddings);
  read<double>(table, "max_sparsity", method.max_sparsity);
  read<std::uint64_t>(table, "seed", method.seed);
  read<double>(table, "sparsity", method.sparsity);
  if (!method.prune) {
    static constexpr std::array<std::string_view, 3> kOfPruning = {"prune_embeddings",
                                                                   "max_sparsity", "sparsity"};
    refuse_keys(table, kOfPruning, "prune is false");
  }
  if (!method.quantize_embeddings) {
    refuse_key(table, "embedding_bits", "quantize_embeddings is false");
  }
  using compress::KMeansInit;
  if (method.init != KMeansInit::kRandom && method.init != KMeansInit::kKMeansPlusPlus) {
    refuse_key(table, "seed", "init is neither random nor kmeans++");
  }
  return method;
}

compress::CalibratedMethod read_calibrated(const toml::table& table,
                                           compress::CalibratedMethod method) {
  refuse_keys(table, kPruningKeys, kIsCalibrated);
  read<double>(table, "max_divergence", method.max_divergence);
  read<double>(table, "max_bits_per_weight", method.max_bits_per_weight);
  read_without(table, method.without);
  std::string repair;
  read<std::string>(table, "layer_norm_repair", repair);
  if (!repair.empty()) {
    method.layer_norm_repair = parse_slope(repair);
  }
  return method;
}

// Reads the target, which replaces that of the preset with its bounds, and the method.
void read_method(const toml::table& table, bool calibrated, compress::Recipe& recipe) {
  const auto* preset_pruning = recipe.pruning();
  const auto* preset_calibrated = recipe.calibrated();
  auto pruning = preset_pruning != nullptr ? *preset_pruning : compress::PruningMethod();
  auto rounding = preset_calibrated != nullptr ? *preset_calibrated : compress::CalibratedMethod();
  if (table.contains("paper_ratio") || table.contains("bits_per_weight") ||
      table.contains("sparsity")) {
    recipe.paper_ratio.reset();
    recipe.bits_per_weight.reset();
    recipe.target_yields = false;
    rounding.max_divergence.reset();
    rounding.max_bits_per_weight.reset();
  }
  read<double>(table, "paper_ratio", recipe.paper_ratio);
  read<double>(table, "bits_per_weight", recipe.bits_per_weight);
  if (calibrated) {
    recipe.method = read_calibrated(table, rounding);
  } else {
    recipe.method = read_pruning(table, pruning);
  }
}

compress::FinetuneOptions read_finetune(const toml::table& table,
                                        compress::FinetuneOptions options) {
  static constexpr std::array<std::string_view, 11> kKeys = {
      "epochs",          "minutes",      "learning_rate", "batch_tokens",
      "label_smoothing", "distillation", "select",        "free_codes",
      "rate_weight",     "code_bits",    "seed"};
  refuse_unknown_keys(table, kKeys);
  compress::FinetunerOptions& finetuner = options.finetuner;
  read<double>(table, "epochs", options.epochs);
  read<double>(table, "minutes", options.minutes);
  read<double>(table, "learning_rate", options.learning_rate);
  read<std::size_t>(table, "batch_tokens", options.batch_tokens);
  read<double>(table, "label_smoothing", finetuner.objective.label_smoothing);
  read<double>(table, "distillation", finetuner.objective.distillation);
  std::string select(to_string(options.select));
  read<std::string>(table, "select", select);
  options.select = parse_selection(select);
  read<bool>(table, "free_codes", finetuner.tensors.free_codes);
  read<double>(table, "rate_weight", finetuner.tensors.codes.rate_weight);
  read<double>(table, "code_bits", options.code_bits);
  read<std::uint64_t>(table, "seed", options.seed);
  if (!finetuner.tensors.free_codes) {
    static constexpr std::array<std::string_view, 2> kOfFreeCodes = {"rate_weight", "code_bits"};
    refuse_keys(table, kOfFreeCodes, "free_codes is false");
  }
  return options;
}

compress::Recipe read_recipe(const toml::table& table) {
  std::vector<std::string_view> keys = {"preset",          "calibrated", "paper_ratio",
                                        "bits_per_weight", "finetune",   "tensor"};
  keys.insert(keys.end(), kPruningKeys.begin(), kPruningKeys.end());
  keys.insert(keys.end(), kCalibratedKeys.begin(), kCalibratedKeys.end());
  refuse_unknown_keys(table, keys);
  std::string preset;
  read<std::string>(table, "preset", preset);
  compress::Recipe recipe = preset.empty() ? compress::Recipe() : compress::preset(preset);
  bool calibrated = recipe.calibrated() != nullptr;
  read<bool>(table, "calibrated", calibrated);
  read_method(table, calibrated, recipe);
  if (const auto* finetune = table["finetune"].as_table()) {
    recipe.finetune = read_finetune(*finetune, compress::default_finetune(recipe));
  } else if (table.contains("finetune")) {
    throw FormatError("finetune must be written as [finetune]");
  }
  for (compress::Override& entry : read_overrides(table, calibrated)) {
    recipe.overrides.push_back(std::move(entry));
  }
  compress::validate(recipe);
  return recipe;
}

}  // namespace

compress::Recipe parse_recipe(std::string_view text, const std::string& name) {
  return in_context(name, [&] {
    try {
      return read_recipe(toml::parse(text));
    } catch (const toml::parse_error& error) {
      throw FormatError(fmt::format("line {}: {}", error.source().begin.line, error.description()));
    }
  });
}

compress::Selection parse_selection(std::string_view name) {
  for (const auto selection : {compress::Selection::kNll, compress::Selection::kBleu}) {
    if (name == to_string(selection)) {
      return selection;
    }
  }
  throw ConfigError(fmt::format("select: expected nll or bleu, found \"{}\"", name));
}

compress::KMeansInit parse_init(std::string_view name) {
  using compress::KMeansInit;
  constexpr std::array<std::pair<std::string_view, KMeansInit>, 5> kNames = {{
      {"linear", KMeansInit::kLinear},
      {"density", KMeansInit::kDensity},
      {"random", KMeansInit::kRandom},
      {"kmeans++", KMeansInit::kKMeansPlusPlus},
      {"optimal", KMeansInit::kOptimal},
  }};
  const auto* found =
      std::ranges::find(kNames, name, [](const auto& entry) { return entry.first; });
  if (found == kNames.end()) {
    throw ConfigError(fmt::format(
        "expected the start linear, density, random, kmeans++ or optimal, found \"{}\"", name));
  }
  return found->second;
}

}  // namespace ltz::formats
