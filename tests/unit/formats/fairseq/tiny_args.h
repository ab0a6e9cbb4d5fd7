#pragma once

#include <nlohmann/json.hpp>

namespace ltz::test {

// fairseq's args for a model of one layer, width 4, two heads.
inline nlohmann::json tiny_args() {
  return {{"arch", "transformer"},       {"encoder_layers", 1},
          {"decoder_layers", 1},         {"encoder_embed_dim", 4},
          {"encoder_ffn_embed_dim", 8},  {"encoder_attention_heads", 2},
          {"decoder_attention_heads", 2}};
}

}  // namespace ltz::test
