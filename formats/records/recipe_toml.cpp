#define TOML_EXCEPTIONS 1
#include "formats/records/recipe_toml.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

void refuse_unknown_keys(const toml::table& table, std::initializer_list<std::string_view> known) {
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
    throw FormatError(
        fmt::format("line {}: {} has the wrong type", node.node()->source().begin.line, key));
  }
  target = *value;
}

compress::Override read_override(const toml::table& table) {
  refuse_unknown_keys(table, {"pattern", "bits", "sparsity", "keep_float", "care"});
  compress::Override entry;
  read<std::string>(table, "pattern", entry.pattern);
  read<int>(table, "bits", entry.bits);
  read<double>(table, "sparsity", entry.sparsity);
  read<bool>(table, "keep_float", entry.keep_float);
  read<double>(table, "care", entry.care);
  if (entry.pattern.empty()) {
    throw FormatError("a [[tensor]] needs a pattern");
  }
  return entry;
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

compress::FinetuneOptions read_finetune(const toml::table& table,
                                        compress::FinetuneOptions options) {
  refuse_unknown_keys(table,
                      {"epochs", "minutes", "learning_rate", "batch_tokens", "label_smoothing",
                       "distillation", "select", "free_codes", "rate_weight", "code_bits", "seed"});
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
  return options;
}

compress::Recipe read_recipe(const toml::table& table) {
  refuse_unknown_keys(table, {"preset",
                              "calibrated",
                              "bits",
                              "embedding_bits",
                              "init",
                              "kmeans_iterations",
                              "prune",
                              "prune_embeddings",
                              "quantize_embeddings",
                              "max_sparsity",
                              "seed",
                              "paper_ratio",
                              "bits_per_weight",
                              "sparsity",
                              "max_divergence",
                              "max_bits_per_weight",
                              "without",
                              "layer_norm_repair",
                              "finetune",
                              "tensor"});
  std::string preset;
  read<std::string>(table, "preset", preset);
  compress::Recipe recipe = preset.empty() ? compress::Recipe() : compress::preset(preset);
  read<bool>(table, "calibrated", recipe.calibrated);
  read<int>(table, "bits", recipe.bits);
  read<int>(table, "embedding_bits", recipe.embedding_bits);
  std::string init;
  read<std::string>(table, "init", init);
  if (!init.empty()) {
    recipe.init = parse_init(init);
  }
  read<int>(table, "kmeans_iterations", recipe.kmeans_iterations);
  read<bool>(table, "prune", recipe.prune);
  read<bool>(table, "prune_embeddings", recipe.prune_embeddings);
  read<bool>(table, "quantize_embeddings", recipe.quantize_embeddings);
  read<double>(table, "max_sparsity", recipe.max_sparsity);
  read<std::uint64_t>(table, "seed", recipe.seed);
  if (table.contains("paper_ratio") || table.contains("bits_per_weight") ||
      table.contains("sparsity")) {
    recipe.paper_ratio.reset();  // the file's target replaces the preset's
    recipe.bits_per_weight.reset();
    recipe.sparsity.reset();
    recipe.max_divergence.reset();
    recipe.max_bits_per_weight.reset();
  }
  read<double>(table, "paper_ratio", recipe.paper_ratio);
  read<double>(table, "bits_per_weight", recipe.bits_per_weight);
  read<double>(table, "sparsity", recipe.sparsity);
  read<double>(table, "max_divergence", recipe.max_divergence);
  read<double>(table, "max_bits_per_weight", recipe.max_bits_per_weight);
  read_without(table, recipe.without);
  std::string repair;
  read<std::string>(table, "layer_norm_repair", repair);
  if (!repair.empty()) {
    recipe.layer_norm_repair = parse_slope(repair);
  }
  if (const auto* finetune = table["finetune"].as_table()) {
    recipe.finetune = read_finetune(*finetune, compress::default_finetune(recipe));
  } else if (table.contains("finetune")) {
    throw FormatError("finetune must be written as [finetune]");
  }
  if (const auto* overrides = table["tensor"].as_array()) {
    for (const toml::node& node : *overrides) {
      if (!node.is_table()) {
        throw FormatError("tensor must be written as [[tensor]]");
      }
      recipe.overrides.push_back(read_override(*node.as_table()));
    }
  } else if (table.contains("tensor")) {
    throw FormatError("tensor must be written as [[tensor]]");
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
