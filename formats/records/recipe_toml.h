#pragma once

#include <string>
#include <string_view>

#include "compress/recipes/recipe.h"

namespace ltz::formats {

// A recipe as TOML. Every key may be left out; the rest is that of the preset it is based on:
//
//   preset = "paper"            # paper, balanced or max; without it, the defaults of Recipe
//   calibrated = false          # second-order rounding; it has none of the keys from bits to seed,
//                               # no sparsity, and of the overrides' keys keep_float and care
//   bits = 6                    # of the matrices' codes
//   embedding_bits = 8
//   init = "optimal"            # linear, density, random, kmeans++ or optimal
//   kmeans_iterations = 10
//   prune = true
//   prune_embeddings = false
//   quantize_embeddings = true
//   max_sparsity = 0.9
//   seed = 1
//   paper_ratio = 18.2          # the target: at most one of paper_ratio, bits_per_weight, sparsity
//
//   [finetune]                  # retraining, see compress/recipes/retraining.h; may be empty
//   epochs = 3.0                # of all stages together
//   minutes = 0.0               # fewer epochs if they would take longer; 0: no limit
//   learning_rate = 3e-4        # at its peak
//   batch_tokens = 2800
//   label_smoothing = 0.1
//   distillation = 0.5          # calibrated: 0.9
//   select = "nll"              # the best model on the development set; or "bleu"
//   free_codes = false          # calibrated: true
//   rate_weight = 1.0
//   seed = 1                    # of the sentences' order
//
//   [[tensor]]                  # for tensors whose name matches, later ones win
//   pattern = "decoder.*.encoder_attn.*"
//   bits = 8
//   sparsity = 0.2
//   keep_float = false
//   care = 2.0                  # calibrated: its errors cost twice what was measured
//
// Throws FormatError, naming file, line and key, for syntax, types, unknown keys and those that
// would have no effect, and ConfigError for values out of range.
compress::Recipe parse_recipe(std::string_view text, const std::string& name);

// "linear", "density", "random", "kmeans++", "optimal"; throws ConfigError for anything else.
compress::KMeansInit parse_init(std::string_view name);

// "nll", "bleu"; throws ConfigError for anything else.
compress::Selection parse_selection(std::string_view name);

}  // namespace ltz::formats
