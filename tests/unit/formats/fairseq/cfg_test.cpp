#include "formats/fairseq/cfg.h"

#include <catch2/catch.hpp>

#include "formats/fairseq/fairseq.h"

namespace ltz::formats {

using nlohmann::json;

TEST_CASE("the groups task and model are the args, the model's name the architecture") {
  CHECK(args_from_cfg({{"task", {{"_name", "translation"}, {"source_lang", "en"}}},
                       {"model", {{"_name", "transformer"}, {"encoder_layers", 3}}},
                       {"optimizer", {{"encoder_layers", 4}}}}) == json{{"_name", "transformer"},
                                                                        {"arch", "transformer"},
                                                                        {"source_lang", "en"},
                                                                        {"encoder_layers", 3}});
  CHECK(args_from_cfg({{"model", {{"_name", "a"}, {"arch", "b"}}}})["arch"] == "b");
  CHECK(args_from_cfg({{"model", "none"}, {"task", nullptr}}) == json::object());
}

TEST_CASE("what segments is the name of the group bpe") {
  const json group = {{"_name", "sentencepiece"}, {"sentencepiece_model", "???"}};
  CHECK(args_from_cfg({{"bpe", group}}) == json{{"bpe", "sentencepiece"}});
  CHECK(args_from_cfg({{"bpe", nullptr}}) == json::object());
}

TEST_CASE("a model's groups encoder and decoder are flattened, other groups are not") {
  const json args = args_from_cfg(
      {{"model",
        {{"_name", "transformer_wmt_en_de"},
         {"encoder", {{"embed_dim", 32}, {"layers", 1}, {"attention_heads", 2}}},
         {"decoder", {{"embed_dim", 48}, {"layers", 2}, {"input_dim", 48}, {"learned_pos", true}}},
         {"quant_noise", {{"pq", 0.1}}}}}});
  CHECK(args["quant_noise"] == json{{"pq", 0.1}});
  const ModelConfig config = config_from_args(args);
  CHECK(config.encoder.embed_dim == 32);
  CHECK(config.encoder.layers == 1);
  CHECK(config.encoder.attention_heads == 2);
  CHECK(config.decoder.embed_dim == 48);
  CHECK(config.decoder.layers == 2);
  CHECK(config.decoder.learned_positions);
}

TEST_CASE("references become what they refer to") {
  const auto referred = [](const char* reference) {
    return args_from_cfg({{"common", {{"tpu", false}, {"again", "${common.tpu}"}}},
                          {"model",
                           {{"decoder", {{"embed_dim", 32}, {"input_dim", reference}}},
                            {"cycle", "${model.cycle}"}}}})["decoder_input_dim"];
  };
  CHECK(referred("${model.decoder.embed_dim}") == 32);
  CHECK(referred("${common.tpu}") == false);
  CHECK(referred("${common.again}") == false);
  CHECK(referred("${common.nothing}").is_null());
  CHECK(referred("${common.tpu.deeper}").is_null());
  CHECK(referred("${}").is_null());
  CHECK(referred("???").is_null());
  CHECK(referred("${model.cycle}") == "${model.cycle}");
  CHECK(referred("$") == "$");
}

}  // namespace ltz::formats
