#include "eval/accounting.h"

#include <catch2/catch.hpp>

namespace ltz::eval {
namespace {

StackConfig lite_stack(int width, BranchType convolution, bool glu) {
  StackConfig stack;
  stack.layers = 6;
  stack.embed_dim = width;
  stack.ffn_embed_dim = width;
  stack.attention_heads = 4;
  stack.glu = glu;
  stack.kernel_sizes = {3, 7, 15, 31, 31, 31};
  stack.branches = {{BranchType::kAttention, 1, width / 2, 4}, {convolution, 0, width / 2, 4}};
  return stack;
}

// The paper's IWSLT models: lightweight convolution, three embedding matrices.
ModelConfig iwslt(int width) {
  ModelConfig config;
  config.encoder = config.decoder = lite_stack(width, BranchType::kLightweight, false);
  config.conv_linear = true;
  config.source_vocabulary_size = 8848;
  config.target_vocabulary_size = 6632;
  return config;
}

// The paper's WMT models: dynamic convolution with GLU, one embedding matrix.
ModelConfig wmt(int width) {
  ModelConfig config;
  config.encoder = config.decoder = lite_stack(width, BranchType::kDynamic, true);
  config.conv_linear = true;
  config.share_all_embeddings = true;
  config.source_vocabulary_size = config.target_vocabulary_size = 44512;
  return config;
}

ModelConfig transformer_base() {
  ModelConfig config;
  config.share_all_embeddings = true;
  config.source_vocabulary_size = config.target_vocabulary_size = 44512;
  return config;
}

struct Published {
  ModelConfig config;
  double parameters;  // in millions
  double mult_adds;   // in millions, 30 source and 30 target tokens
};

}  // namespace

TEST_CASE("Tables 1 and 2 of the paper come out of the configurations") {
  const Published row = GENERATE(Published{iwslt(160), 2.8, 54}, Published{iwslt(240), 5.4, 119},
                                 Published{iwslt(320), 8.9, 209}, Published{wmt(200), 2.9, 90},
                                 Published{wmt(408), 11.7, 360}, Published{wmt(496), 17.3, 527});
  CAPTURE(row.config.encoder.embed_dim);
  // Within 1%, or within the last digit of the printed figure where that is more.
  const double parameters = static_cast<double>(count_parameters(row.config).paper) / 1e6;
  CHECK(parameters == Approx(row.parameters).margin(std::max(0.1, 0.01 * row.parameters)));
  const double mult_adds_found = static_cast<double>(mult_adds(row.config, 30, 30)) / 1e6;
  CHECK(mult_adds_found == Approx(row.mult_adds).margin(std::max(1.0, 0.01 * row.mult_adds)));
}

TEST_CASE("Table 4 of the paper comes out of the configurations") {
  struct Row {
    int src_len;
    double base;  // in billions, 60 target tokens
    double lite;
  };
  const Row row = GENERATE(Row{30, 2.0, 0.8}, Row{100, 3.6, 1.5}, Row{1000, 29.9, 12.5});
  CAPTURE(row.src_len);
  const double base = static_cast<double>(mult_adds(transformer_base(), row.src_len, 60)) / 1e9;
  const double lite = static_cast<double>(mult_adds(wmt(496), row.src_len, 60)) / 1e9;
  CHECK(base == Approx(row.base).margin(std::max(0.1, 0.01 * row.base)));
  CHECK(lite == Approx(row.lite).margin(std::max(0.1, 0.01 * row.lite)));
}

TEST_CASE("the baseline of the paper's ratio is Transformer base without embeddings") {
  CHECK(count_parameters(transformer_base()).non_embedding == kTransformerBaseParameters);
}

TEST_CASE("a separate output matrix counts as embedding, and in the paper's figure") {
  const ParameterCounts counts = count_parameters(iwslt(160));
  CHECK(counts.embedding == (8848 + 2 * 6632) * 160);
  CHECK(counts.paper == counts.non_embedding + 6632 * 160);
  CHECK(counts.total == counts.embedding + counts.non_embedding);
}

}  // namespace ltz::eval
