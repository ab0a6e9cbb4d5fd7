#include "compress/codebooks/codebook.h"

#include <catch2/catch.hpp>
#include <limits>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("a tidy codebook is ascending, without equals and idle centroids") {
  QuantizedValues quantized{.centroids = {0.5f, -1.0f, 2.0f, 0.5f, 0.0f}, .codes = {0, 3, 1, 4, 0}};
  const Tensor before{{5}, quantized};
  tidy_codebook(quantized);
  CHECK(quantized.centroids == std::vector<float>{-1.0f, 0.0f, 0.5f});
  CHECK(quantized.codes == std::vector<std::uint8_t>{2, 2, 0, 1, 2});
  CHECK(Tensor{{5}, quantized}.values() == before.values());
}

TEST_CASE("an empty tensor has an empty codebook") {
  QuantizedValues quantized{.centroids = {1.0f}, .codes = {}};
  tidy_codebook(quantized);
  CHECK(quantized.centroids.empty());
}

TEST_CASE("a centroid is never rounded to zero") {
  CHECK(round_centroid(1e-20f) == 0x1p-24f);
  CHECK(round_centroid(-1e-20f) == -0x1p-24f);
  CHECK(round_centroid(1.0f + 0x1p-20f) == 1.0f);
  CHECK_THROWS_AS(round_centroid(1e6f), ConfigError);
  CHECK_THROWS_AS(round_centroid(std::numeric_limits<float>::quiet_NaN()), ConfigError);
}
