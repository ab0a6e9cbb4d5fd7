#include "model/decoding/vocabulary_scan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "model/decoding/next_tokens.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

Matrix some_features(const Transformer& model, Eigen::Index rows) {
  Matrix features(rows, model.config().decoder.embed_dim);
  for (Eigen::Index i = 0; i < features.size(); ++i) {
    features.data()[i] = 3.0f * std::sin(0.9f * static_cast<float>(i));
  }
  return features;
}

double log_sum_exp(const Matrix& logits, Eigen::Index row) {
  return std::log(logits.row(row).cast<double>().array().exp().sum());
}

}  // namespace

TEST_CASE("values in blocks have the log-sum-exp of the whole") {
  const std::vector<std::vector<float>> blocks = {
      {-200.0f, -201.0f}, {-3.0f, 1.0f, 2.0f}, {90.0f, 80.0f}, {89.5f}, {-1.0f}};
  RunningLogSumExp running;
  RunningLogSumExp first;
  RunningLogSumExp second;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    running.add(blocks[i], std::ranges::max(blocks[i]));
    (i < 2 ? first : second).add(blocks[i], std::ranges::max(blocks[i]));
  }
  const double expected = 90.0 + std::log(1.0 + std::exp(-10.0) + std::exp(-0.5));
  CHECK(running.value() == Approx(expected).epsilon(1e-6));
  first.add(second);
  first.add(RunningLogSumExp());
  CHECK(first.value() == Approx(expected).epsilon(1e-6));
}

TEST_CASE("every logit is visited once, and the normaliser is that of all") {
  const Transformer model(tiny_checkpoint(3));
  const Matrix features = some_features(model, 205);
  const Matrix logits = model.logits(features);
  Matrix visited = Matrix::Zero(logits.rows(), logits.cols());
  const std::vector<float> normalizers =
      scan_vocabulary(model, features, [&](const LogitBlock& block) {
        for (Eigen::Index i = 0; i < LogitBlock::kTokens; ++i) {
          float& logit = block.logits[static_cast<std::size_t>(i)];
          if (block.first + i < logits.cols()) {
            visited(block.row, block.first + i) += logit;
          } else {
            CHECK(logit == -std::numeric_limits<float>::infinity());
          }
          logit = 100.0f;  // too late to count
        }
      });
  CHECK(visited == logits);
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    CHECK(normalizers[static_cast<std::size_t>(row)] == Approx(log_sum_exp(logits, row)));
  }
}

TEST_CASE("the next tokens are the likeliest that are not forbidden") {
  const Transformer model(tiny_checkpoint(4));
  const Matrix features = some_features(model, 6);
  const Matrix logits = model.logits(features);
  const std::size_t count = GENERATE(1, 5, 1000);
  std::vector<std::vector<int>> forbidden(6);
  forbidden[1] = {Vocabulary::kPad};
  forbidden[2] = {Vocabulary::kEos, 7};
  Eigen::Index likeliest = 0;
  logits.row(3).maxCoeff(&likeliest);
  forbidden[3] = {static_cast<int>(likeliest)};
  NextTokens next(model, count);
  for (int repetition = 0; repetition < 2; ++repetition) {
    next.find(features, forbidden);
    for (std::size_t row = 0; row < 6; ++row) {
      CAPTURE(row, count);
      const auto logits_row = logits.row(static_cast<Eigen::Index>(row));
      std::vector<ScoredToken> expected;
      for (int token = 0; token < logits.cols(); ++token) {
        if (std::ranges::find(forbidden[row], token) == forbidden[row].end()) {
          expected.push_back({logits_row(token), token});
        }
      }
      std::ranges::stable_sort(expected, std::greater(), &ScoredToken::logit);
      expected.resize(std::min(expected.size(), count));
      const auto same = [](const ScoredToken& a, const ScoredToken& b) {
        return a.logit == b.logit && a.token == b.token;
      };
      CHECK(std::ranges::equal(next.best(row), expected, same));
      CHECK(next.end(row) == logits_row(Vocabulary::kEos));
      CHECK(next.normalizer(row) == Approx(log_sum_exp(logits, static_cast<Eigen::Index>(row))));
    }
  }
}

TEST_CASE("threads share the vocabulary without changing anything") {
  ModelConfig config = tiny_checkpoint(5).config;
  config.target_vocabulary_size = 5000;
  const Transformer model(random_checkpoint(config, 5));
  const Matrix features = some_features(model, 64);
  const std::vector<std::vector<int>> forbidden(64);
  const auto found = [&] {
    NextTokens next(model, 8);
    next.find(features, forbidden);
    return next;
  };
  const NextTokens one = on_threads(1, found);
  const NextTokens three = on_threads(3, found);
  for (std::size_t row = 0; row < 64; ++row) {
    CHECK(one.normalizer(row) == three.normalizer(row));
    REQUIRE(one.best(row).size() == three.best(row).size());
    for (std::size_t i = 0; i < one.best(row).size(); ++i) {
      CHECK(one.best(row)[i].token == three.best(row)[i].token);
    }
  }
}

}  // namespace ltz
