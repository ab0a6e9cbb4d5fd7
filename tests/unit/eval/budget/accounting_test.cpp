#include "eval/budget/accounting.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "formats/fairseq/model_presets.h"

namespace ltz::eval {
namespace {

ModelConfig preset(const std::string& name) {
  return formats::preset_model(name).value();
}

struct Published {
  const char* preset;
  double parameters;  // in millions
  double mult_adds;   // in millions, 30 source and 30 target tokens
};

}  // namespace

TEST_CASE("Tables 1 and 2 of the paper come out of the configurations") {
  const Published row = GENERATE(Published{"lite-transformer-iwslt-160", 2.8, 54},
                                 Published{"lite-transformer-iwslt-240", 5.4, 119},
                                 Published{"lite-transformer-iwslt-320", 8.9, 209},
                                 Published{"lite-transformer-wmt-200", 2.9, 90},
                                 Published{"lite-transformer-wmt-408", 11.7, 360},
                                 Published{"lite-transformer-wmt-496", 17.3, 527});
  CAPTURE(row.preset);
  const ModelConfig config = preset(row.preset);
  // Within 1%, or within the last digit of the printed figure where that is more.
  const double parameters = static_cast<double>(count_parameters(config).paper) / 1e6;
  CHECK(parameters == Approx(row.parameters).margin(std::max(0.1, 0.01 * row.parameters)));
  const double mult_adds_found = static_cast<double>(mult_adds(config, 30, 30)) / 1e6;
  CHECK(mult_adds_found == Approx(row.mult_adds).margin(std::max(1.0, 0.01 * row.mult_adds)));
  // By the rule of Table 5 it is the printed figure, rounded or cut off.
  const double as_printed = static_cast<double>(count_mult_adds(config, 30, 30).paper()) / 1e6;
  CHECK((std::round(as_printed) == row.mult_adds || std::floor(as_printed) == row.mult_adds));
}

TEST_CASE("Table 5 of the paper comes out of the configurations") {
  struct Row {
    const char* preset;
    std::int64_t parameters;  // the layers alone
    std::int64_t all;
    int tokens;
    std::int64_t mult_adds;
    double printed;  // in billions
  };
  const Row row =
      GENERATE(Row{"adaptive-inputs-wiki103", 37'828'608, 60'181'504, 30, 1'151'754'240, 1.152},
               Row{"adaptive-inputs-wiki103", 37'828'608, 60'181'504, 100, 3'925'196'800, 3.9},
               Row{"adaptive-inputs-wiki103", 37'828'608, 60'181'504, 1000, 50'311'168'000, 50.3},
               // The README of the paper's code says 1147M.
               Row{"lite-transformer-wiki103", 37'182'208, 76'751'360, 30, 1'146'808'320, 1.147},
               Row{"lite-transformer-wiki103", 37'182'208, 76'751'360, 100, 3'897'958'400, 3.9},
               Row{"lite-transformer-wiki103", 37'182'208, 76'751'360, 1000, 48'656'384'000, 48.7});
  CAPTURE(row.preset, row.tokens);
  const ModelConfig config = preset(row.preset);
  const ParameterCounts counts = count_parameters(config);
  CHECK(counts.paper == row.parameters);
  CHECK(counts.non_embedding == row.parameters);
  CHECK(counts.total == row.all);
  const std::int64_t found = count_mult_adds(config, 0, row.tokens).paper();
  CHECK(found == row.mult_adds);
  CHECK(static_cast<double>(found) / 1e9 == Approx(row.printed).margin(0.05));
}

TEST_CASE("the parameters of a language model's embeddings are tables and projections") {
  const ParameterCounts counts = count_parameters(preset("lite-transformer-wiki103"));
  CHECK(counts.tables == 38'513'664);
  CHECK(counts.projections == 1'055'488);
  CHECK(counts.embedding == counts.tables + counts.projections);
}

TEST_CASE("an adaptive softmax takes the head and all tails for a whole distribution") {
  // 60 words and 2 classes of 48 channels; tails of 100 words of 12 channels and 144 of 3.
  ModelConfig config = preset("lite-transformer-wiki103");
  config.decoder.embed_dim = 48;
  config.target_vocabulary_size = 304;
  config.adaptive_input = config.adaptive_softmax = {.cutoffs = {60, 160}, .factor = 4.0};
  CHECK(output_mult_adds(config, 1) == 62 * 48 + 12 * (48 + 100) + 3 * (48 + 144));
  CHECK(output_mult_adds(config, 7) == 7 * output_mult_adds(config, 1));
  // Scoring needs only the tails of its targets.
  CHECK(scoring_mult_adds(config, std::vector{0, 59}) == 2 * 62 * 48);
  CHECK(scoring_mult_adds(config, std::vector{0, 60, 159}) == 3 * 62 * 48 + 2 * 12 * (48 + 100));
  CHECK(scoring_mult_adds(config, std::vector{160}) == 62 * 48 + 3 * (48 + 144));
  // Tables that are narrower than the features: these are made so, but not for the classes.
  config.decoder_input_dim = 16;
  CHECK(output_mult_adds(config, 1) ==
        48 * 16 + 60 * 16 + 2 * 48 + 4 * (48 + 100) + 1 * (48 + 144));
  config.tie_adaptive_weights = config.tie_adaptive_proj = false;
  CHECK(output_mult_adds(config, 1) == 62 * 48 + 12 * (48 + 100) + 3 * (48 + 144));
}

TEST_CASE("Table 4 of the paper comes out of the configurations") {
  struct Row {
    int src_len;
    double base;  // in billions, 60 target tokens
    double lite;
  };
  const Row row = GENERATE(Row{30, 2.0, 0.8}, Row{100, 3.6, 1.5}, Row{1000, 29.9, 12.5});
  CAPTURE(row.src_len);
  const double base =
      static_cast<double>(mult_adds(preset("transformer-base"), row.src_len, 60)) / 1e9;
  const double lite =
      static_cast<double>(mult_adds(preset("lite-transformer-wmt-496"), row.src_len, 60)) / 1e9;
  CHECK(base == Approx(row.base).margin(std::max(0.1, 0.01 * row.base)));
  CHECK(lite == Approx(row.lite).margin(std::max(0.1, 0.01 * row.lite)));
}

TEST_CASE("the baseline of the paper's ratio is Transformer base without embeddings") {
  CHECK(count_parameters(preset("transformer-base")).non_embedding == 44'138'496);
}

TEST_CASE("a separate output matrix counts as embedding, and in the paper's figure") {
  const ParameterCounts counts = count_parameters(preset("lite-transformer-iwslt-160"));
  CHECK(counts.embedding == (8848 + 2 * 6632) * 160);
  CHECK(counts.paper == counts.non_embedding + 6632 * 160);
  CHECK(counts.total == counts.embedding + counts.non_embedding);
}

TEST_CASE("a step of the decoder is one of the rows that teacher forcing computes together") {
  const ModelConfig config = preset(GENERATE(
      "lite-transformer-iwslt-160", "lite-transformer-wmt-496", "lite-transformer-wiki103"));
  const std::int64_t src_len = is_language_model(config) ? 0 : 11;
  const std::int64_t tgt_len = 7;
  const std::int64_t decoder = mult_adds(config, src_len, tgt_len) - mult_adds(config, src_len, 0);
  CHECK(tgt_len * step_mult_adds(config, src_len, tgt_len, 1) ==
        decoder + output_mult_adds(config, tgt_len));
  CHECK(step_mult_adds(config, src_len, tgt_len, 5) ==
        5 * step_mult_adds(config, src_len, tgt_len, 1));
  if (!is_language_model(config)) {
    CHECK(output_mult_adds(config, 1) == config.target_vocabulary_size * config.decoder.embed_dim);
  }
}

TEST_CASE("beam search counts the source once and a row for every beam but at the first step") {
  const ModelConfig config = preset("lite-transformer-iwslt-160");
  // A single beam reads what it writes, as teacher forcing does.
  CHECK(search_mult_adds(config, 11, 7, 1) ==
        mult_adds(config, 11, 7) + output_mult_adds(config, 7));
  CHECK(search_mult_adds(config, 11, 1, 4) == search_mult_adds(config, 11, 1, 1));
  const std::int64_t source = mult_adds(config, 11, 0);
  CHECK(25 * (search_mult_adds(config, 11, 7, 1) - source) ==
        7 * (search_mult_adds(config, 11, 7, 4) - source));
}

}  // namespace ltz::eval
