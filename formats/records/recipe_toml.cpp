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
#include <variant>

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

// A file says by `calibrated`, or by its preset, which method it is about, and may have keys of the
// other one: those are read and checked like the others.
class Methods {
 public:
  explicit Methods(const compress::Recipe& preset)
      : is_calibrated_(preset.calibrated() != nullptr) {
    if (is_calibrated_) {
      calibrated_ = *preset.calibrated();
    } else {
      pruning_ = *preset.pruning();
    }
  }

  // For a file with a target of its own.
  void forget_targets() {
    pruning_.sparsity.reset();
    calibrated_.max_divergence.reset();
    calibrated_.max_bits_per_weight.reset();
  }

  void read(const toml::table& table) {
    formats::read<bool>(table, "calibrated", is_calibrated_);
    formats::read<int>(table, "bits", pruning_.bits);
    formats::read<int>(table, "embedding_bits", pruning_.embedding_bits);
    std::string init;
    formats::read<std::string>(table, "init", init);
    if (!init.empty()) {
      pruning_.init = parse_init(init);
    }
    formats::read<int>(table, "kmeans_iterations", pruning_.kmeans_iterations);
    formats::read<bool>(table, "prune", pruning_.prune);
    formats::read<bool>(table, "prune_embeddings", pruning_.prune_embeddings);
    formats::read<bool>(table, "quantize_embeddings", pruning_.quantize_embeddings);
    formats::read<double>(table, "max_sparsity", pruning_.max_sparsity);
    formats::read<std::uint64_t>(table, "seed", pruning_.seed);
    formats::read<double>(table, "sparsity", pruning_.sparsity);
    formats::read<double>(table, "max_divergence", calibrated_.max_divergence);
    formats::read<double>(table, "max_bits_per_weight", calibrated_.max_bits_per_weight);
    read_without(table, calibrated_.without);
    std::string repair;
    formats::read<std::string>(table, "layer_norm_repair", repair);
    if (!repair.empty()) {
      calibrated_.layer_norm_repair = parse_slope(repair);
    }
  }

  std::variant<compress::PruningMethod, compress::CalibratedMethod> chosen() const {
    if (is_calibrated_) {
      return calibrated_;
    }
    return pruning_;
  }

  // The recipe, of the chosen method, and the keys of the other one. What only calibrated
  // compression can do must not be asked of pruning.
  void check(compress::Recipe recipe) const {
    if (is_calibrated_) {
      compress::validate(recipe);
      recipe.method = pruning_;
    } else {
      compress::validate(calibrated_, recipe.name);
      refuse_of_pruning(calibrated_.max_divergence.has_value(), recipe,
                        "max_divergence needs calibrated and bits_per_weight");
      refuse_of_pruning(!calibrated_.without.empty() || calibrated_.layer_norm_repair, recipe,
                        "without and layer_norm_repair need calibrated");
    }
    compress::validate(recipe);
  }

 private:
  static void refuse_of_pruning(bool asked, const compress::Recipe& recipe, const char* complaint) {
    if (asked) {
      throw ConfigError(fmt::format("recipe {}: {}", recipe.name, complaint));
    }
  }

  bool is_calibrated_;
  compress::PruningMethod pruning_;
  compress::CalibratedMethod calibrated_;
};

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
  Methods methods(recipe);
  if (table.contains("paper_ratio") || table.contains("bits_per_weight") ||
      table.contains("sparsity")) {
    recipe.paper_ratio.reset();  // the file's target replaces the preset's
    recipe.bits_per_weight.reset();
    recipe.target_yields = false;
    methods.forget_targets();
  }
  read<double>(table, "paper_ratio", recipe.paper_ratio);
  read<double>(table, "bits_per_weight", recipe.bits_per_weight);
  methods.read(table);
  recipe.method = methods.chosen();
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
  methods.check(recipe);
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
