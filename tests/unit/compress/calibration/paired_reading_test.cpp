#include "compress/calibration/paired_reading.h"

#include <catch2/catch.hpp>

#include "compress/calibration/input_geometry.h"
#include "model/base/error.h"
#include "model/decoding/batching.h"
#include "model/decoding/scoring.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

using Names = std::set<std::string>;

// Matrices of every sublayer.
std::vector<Names> sublayers_of(const ModelConfig& config) {
  std::vector<Names> sublayers(static_cast<std::size_t>(number_of_sublayers(config)));
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.role == Role::kMatrix) {
      sublayers[static_cast<std::size_t>(sublayer_of(config, spec))].insert(spec.name);
    }
  }
  return sublayers;
}

// Inputs of every matrix while the model reads the text as one batch.
std::map<std::string, Matrix> inputs_of(const Checkpoint& checkpoint, const EncodedText& text) {
  Transformer model(checkpoint);
  std::map<std::string, Matrix> inputs;
  model.observe_inputs(
      [&](const std::string& matrix, MatrixView x) { inputs.insert_or_assign(matrix, x); });
  teacher_forced_features(model, text.source, text.target);
  return inputs;
}

void check_near(const std::vector<double>& found, const Square& expected) {
  REQUIRE(static_cast<Eigen::Index>(found.size()) == expected.size());
  const double scale = std::max(expected.cwiseAbs().maxCoeff(), 1.0);
  for (Eigen::Index i = 0; i < expected.size(); ++i) {
    CHECK(found[static_cast<std::size_t>(i)] == Approx(expected.data()[i]).margin(1e-5 * scale));
  }
}

Square products(const Matrix& x, const Matrix& y) {
  return x.cast<double>().transpose() * y.cast<double>();
}

}  // namespace

TEST_CASE("a model beside itself sees what input_moments sees") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const EncodedText text = long_text();
  Transformer original(checkpoint);
  Transformer copy(checkpoint);
  Transformer third(checkpoint);
  const std::vector<Names> sublayers = sublayers_of(checkpoint.config);
  PairedReading reading(original, copy, text);
  for (const Names& matrices : sublayers) {
    const auto found = reading.moments(matrices);
    const auto expected = input_moments(third, text, matrices);
    REQUIRE(found.size() == matrices.size());
    for (const auto& [name, pair] : found) {
      CAPTURE(name);
      CHECK(pair.inputs.count == expected.at(name).count);
      CHECK(pair.inputs.sum == expected.at(name).sum);
      CHECK(pair.inputs.second == expected.at(name).second);
      CHECK(pair.cross == pair.inputs.second);
    }
    // What another sublayer has is not there to be seen.
    CHECK(reading.moments({"decoder.layers.1.fc1.weight"}).empty());
    reading.advance();
  }
}

TEST_CASE("of two models, each sees its own inputs") {
  const Checkpoint one = tiny_checkpoint(2);
  const Checkpoint two = tiny_checkpoint(3);
  const EncodedText text = tiny_text();
  const auto x = inputs_of(one, text);
  const auto y = inputs_of(two, text);
  Transformer original(one);
  Transformer compressed(two);
  PairedReading reading(original, compressed, text);
  for (const Names& matrices : sublayers_of(one.config)) {
    for (const auto& [name, pair] : reading.moments(matrices)) {
      CAPTURE(name);
      CHECK(pair.inputs.count == y.at(name).rows());
      check_near(pair.inputs.second, products(y.at(name), y.at(name)));
      check_near(pair.cross, products(x.at(name), y.at(name)));
    }
    reading.advance();
  }
}

TEST_CASE("the outputs of a sublayer are those of both models") {
  const Checkpoint one = tiny_checkpoint(4);
  const Checkpoint two = tiny_checkpoint(5);
  const EncodedText text = tiny_text();
  Transformer original(one);
  Transformer compressed(two);
  PairedReading reading(original, compressed, text);
  const auto check = [&](const Matrix& y, const Matrix& z) {
    const LineSums found = reading.outputs();
    const Eigen::MatrixXd y64 = y.cast<double>();
    const Eigen::MatrixXd z64 = z.cast<double>();
    CHECK(found.count == static_cast<double>(y.rows()));
    for (Eigen::Index c = 0; c < y.cols(); ++c) {
      CHECK(found.y[c] == Approx(y64.col(c).sum()).margin(1e-4));
      CHECK(found.z[c] == Approx(z64.col(c).sum()).margin(1e-4));
      CHECK(found.yy[c] == Approx(y64.col(c).squaredNorm()).epsilon(1e-4));
      CHECK(found.zz[c] == Approx(z64.col(c).squaredNorm()).epsilon(1e-4));
      CHECK(found.yz[c] == Approx(y64.col(c).dot(z64.col(c))).margin(1e-3));
    }
  };
  reading.advance();
  check(original.encode(text.source).output, compressed.encode(text.source).output);
  for (int sublayer = 1; sublayer < 4; ++sublayer) {
    reading.advance();
  }
  check(teacher_forced_features(original, text.source, text.target),
        teacher_forced_features(compressed, text.source, text.target));
}

TEST_CASE("what is compressed in a sublayer is seen by what comes behind it") {
  const Checkpoint checkpoint = tiny_checkpoint(6);
  const EncodedText text = tiny_text();
  Transformer original(checkpoint);
  Transformer compressed(checkpoint);
  PairedReading reading(original, compressed, text);
  reading.advance();
  const std::string name = "encoder.layers.0.fc2.weight";
  const PairedMoments before = reading.moments({name}).at(name);
  CHECK(before.cross == before.inputs.second);
  // Nothing comes out of fc1 any more, so that only its bias remains.
  compressed.replace("encoder.layers.0.fc1.weight", std::vector<float>(12 * 8));
  compressed.replace("encoder.layers.0.fc1.bias", std::vector<float>(12, 0.5f));
  const PairedMoments after = reading.moments({name}).at(name);
  CHECK(after.inputs.second == std::vector<double>(12 * 12, 0.25 * 17));
  // The original is what it was.
  for (std::size_t i = 0; i < after.cross.size(); ++i) {
    CHECK(after.cross[i] == Approx(0.5 * before.inputs.sum[i / 12]).margin(1e-5));
  }
}

TEST_CASE("paired reading does not depend on the threads") {
  const EncodedText text = long_text();
  REQUIRE(batch_by_length(text.target).batches.size() > 4);  // more than are added up at a time
  const Checkpoint one = tiny_checkpoint(7);
  const std::vector<Names> sublayers = sublayers_of(one.config);
  const auto collect = [&](int threads) {
    const ThreadCount guard(threads);
    Transformer original(one);
    Transformer compressed(tiny_checkpoint(8));
    PairedReading reading(original, compressed, text);
    std::vector<std::vector<double>> numbers;
    for (const Names& matrices : sublayers) {
      for (const auto& [name, pair] : reading.moments(matrices)) {
        numbers.push_back(pair.inputs.sum);
        numbers.push_back(pair.inputs.second);
        numbers.push_back(pair.cross);
      }
      const LineSums sums = reading.outputs();
      numbers.emplace_back(sums.yz.begin(), sums.yz.end());
      reading.advance();
    }
    return numbers;
  };
  const auto alone = collect(1);
  const auto three = collect(3);
  CHECK(alone == three);
}

TEST_CASE("paired reading needs a target for every source") {
  Transformer original(tiny_checkpoint(9));
  Transformer compressed(tiny_checkpoint(9));
  EncodedText text = tiny_text();
  text.target.pop_back();
  CHECK_THROWS_AS(PairedReading(original, compressed, text), ConfigError);
  CHECK_THROWS_AS(PairedReading(original, compressed, {}), ConfigError);
}
