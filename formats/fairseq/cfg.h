#pragma once

#include <nlohmann/json.hpp>

namespace ltz::formats {

// The configuration that fairseq >= 0.10.3 saves, as the `args` of earlier ones: the settings of
// its groups `task` and `model`, where the architecture is the model's `_name` unless it has an
// `arch`, and the `_name` of its group `bpe` as `bpe`. The groups `encoder` and `decoder` of a
// model (fairseq >= 1.0) lose their nesting, as in encoder_embed_dim, and a reference such as
// "${model.decoder.embed_dim}" becomes what it refers to, or null; null as well for "???", the
// missing value of OmegaConf. cfg: an object. Facts:
// fairseq/models/transformer/transformer_config.py.
nlohmann::json args_from_cfg(const nlohmann::json& cfg);

}  // namespace ltz::formats
