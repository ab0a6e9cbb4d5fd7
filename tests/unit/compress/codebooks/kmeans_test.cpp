#include "compress/codebooks/kmeans.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "model/base/error.h"
#include "model/base/parallel.h"
#include "tests/support/bell_values.h"
#include "tests/support/thread_count.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr KMeansInit kInits[] = {KMeansInit::kLinear, KMeansInit::kDensity, KMeansInit::kRandom,
                                 KMeansInit::kKMeansPlusPlus, KMeansInit::kOptimal};

double squared_error(const std::vector<float>& values, const Clustering& clustering) {
  double error = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double d = static_cast<double>(values[i]) - clustering.centroids[clustering.codes[i]];
    error += d * d;
  }
  return error;
}

// Least distortion over all partitions of the sorted values into at most `cells` intervals.
double brute_force(const std::vector<float>& sorted, int cells) {
  const auto count = static_cast<int>(sorted.size());
  double least = std::numeric_limits<double>::infinity();
  for (unsigned cuts = 0; cuts < 1u << (count - 1); ++cuts) {
    if (__builtin_popcount(cuts) + 1 > cells) {
      continue;
    }
    double total = 0.0;
    for (int begin = 0; begin < count;) {
      int end = begin + 1;
      while (end < count && (cuts >> (end - 1) & 1u) == 0) {
        ++end;
      }
      double mean = 0.0;
      for (int i = begin; i < end; ++i) {
        mean += sorted[i] / static_cast<double>(end - begin);
      }
      for (int i = begin; i < end; ++i) {
        total += (sorted[i] - mean) * (sorted[i] - mean);
      }
      begin = end;
    }
    least = std::min(least, total);
  }
  return least;
}

}  // namespace

TEST_CASE("optimal K-means has the least distortion of all partitions") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::vector<float> values = bell(3 + seed % 10, seed);
    if (seed % 3 == 0) {  // repeated values
      values[1] = values[0];
    }
    std::vector<float> sorted = values;
    std::ranges::sort(sorted);
    for (int cells = 1; cells <= 5; ++cells) {
      const Clustering clustering =
          kmeans(values, {.centroids = cells, .init = KMeansInit::kOptimal});
      INFO("seed " << seed << ", " << cells << " cells");
      CHECK(squared_error(values, clustering) == Approx(brute_force(sorted, cells)).margin(1e-9));
    }
  }
}

TEST_CASE("optimal K-means is never worse than Lloyd from any start") {
  const std::vector<float> values = bell(3000, 7);
  for (const int centroids : {2, 5, 16, 64}) {
    const double best =
        kmeans(values, {.centroids = centroids, .init = KMeansInit::kOptimal}).distortion;
    for (const KMeansInit init : kInits) {
      const Clustering lloyd = kmeans(values, {.centroids = centroids, .init = init});
      CHECK(best <= lloyd.distortion * (1 + 1e-6));
    }
  }
}

TEST_CASE("with too many distinct values for an exact search, optimal is still the best start") {
  const std::vector<float> values = bell(60000, 3);
  for (const int centroids : {4, 32}) {
    const auto distortion = [&](KMeansInit init) {
      return kmeans(values, {.centroids = centroids, .init = init, .tolerance = 0}).distortion;
    };
    const double best = distortion(KMeansInit::kOptimal);
    for (const KMeansInit init : kInits) {
      CHECK(best <= distortion(init) * 1.001);
    }
  }
}

TEST_CASE("with 256 centroids optimal is no worse than 100 Lloyd steps, rare large values or not") {
  std::vector<float> values = bell(40000, 8);
  for (const float largest : {1.0f, 30.0f}) {
    for (std::size_t i = 0; i < values.size(); i += 1000) {
      values[i] = largest * static_cast<float>(i) / 40000.0f;
    }
    const double best = kmeans(values, {.init = KMeansInit::kOptimal}).distortion;
    const Clustering lloyd = kmeans(values, {.max_iterations = 100, .tolerance = 0.0});
    CHECK(best < lloyd.distortion);
  }
}

TEST_CASE("a Lloyd step never raises the distortion") {
  const std::vector<float> values = bell(2000, 5);
  for (const KMeansInit init : kInits) {
    double before = std::numeric_limits<double>::infinity();
    for (int steps = 0; steps < 20; ++steps) {
      const Clustering clustering = kmeans(
          values, {.centroids = 12, .init = init, .max_iterations = steps, .tolerance = 0.0});
      CHECK(clustering.iterations <= steps);
      CHECK(clustering.distortion <= before * (1 + 1e-6));
      before = clustering.distortion;
    }
  }
}

TEST_CASE("codes are those of the nearest centroid and distortion is their error") {
  const std::vector<float> values = bell(1000, 11);
  for (const KMeansInit init : kInits) {
    const Clustering clustering = kmeans(values, {.centroids = 20, .init = init});
    REQUIRE(clustering.codes.size() == values.size());
    CHECK(std::ranges::adjacent_find(clustering.centroids, std::greater_equal<>()) ==
          clustering.centroids.end());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float distance = std::abs(values[i] - clustering.centroids[clustering.codes[i]]);
      for (const float centroid : clustering.centroids) {
        REQUIRE(distance <= std::abs(values[i] - centroid) + 1e-7f);
      }
    }
    CHECK(squared_error(values, clustering) == Approx(clustering.distortion));
  }
}

TEST_CASE("codes of any number of centroids, also of values on the borders and beyond") {
  for (const std::size_t count : {1, 2, 3, 4, 5, 127, 128, 129, 255, 256}) {
    CAPTURE(count);
    std::vector<float> centroids;
    std::vector<float> values{-1e6f, 1e6f};
    std::vector<std::uint8_t> expected{0, static_cast<std::uint8_t>(count - 1)};
    for (std::size_t j = 0; j < count; ++j) {
      centroids.push_back(static_cast<float>(j * j));
      values.push_back(centroids.back());
      expected.push_back(static_cast<std::uint8_t>(j));
      if (j > 0) {
        const float border = (centroids[j - 1] + centroids[j]) / 2.0f;
        values.push_back(border);
        values.push_back(std::nextafter(border, HUGE_VALF));
        expected.push_back(static_cast<std::uint8_t>(j - 1));
        expected.push_back(static_cast<std::uint8_t>(j));
      }
    }
    CHECK(nearest_codes(values, centroids) == expected);
  }
}

TEST_CASE("a linear start without steps is a uniform quantizer") {
  const std::vector<float> values{0.0f, 0.1f, 0.9f, 2.0f, 2.1f, 3.9f, 4.0f};
  const Clustering clustering = kmeans(values, {.centroids = 5, .max_iterations = 0});
  CHECK(clustering.centroids == std::vector<float>{0.0f, 1.0f, 2.0f, 4.0f});  // nothing near 3
  CHECK(clustering.codes == std::vector<std::uint8_t>{0, 0, 1, 2, 2, 3, 3});
}

TEST_CASE("no more distinct values than centroids: no distortion") {
  const std::vector<float> values{0.3f, -1.0f, 0.3f, 2.5f, -1.0f};
  for (const KMeansInit init : kInits) {
    const Clustering clustering = kmeans(values, {.centroids = 3, .init = init});
    CHECK(clustering.centroids == std::vector<float>{-1.0f, 0.3f, 2.5f});
    CHECK(clustering.codes == std::vector<std::uint8_t>{1, 0, 1, 2, 0});
    CHECK(clustering.distortion == 0.0);
  }
}

TEST_CASE("no value, one value, all equal") {
  for (const KMeansInit init : kInits) {
    const KMeansOptions options{.centroids = 4, .init = init};
    const Clustering none = kmeans({}, options);
    CHECK(none.centroids.empty());
    CHECK(none.codes.empty());
    CHECK(none.distortion == 0.0);
    CHECK(kmeans(std::vector<float>{0.7f}, options).centroids == std::vector<float>{0.7f});
    const Clustering equal = kmeans(std::vector<float>(9, -0.2f), options);
    CHECK(equal.centroids == std::vector<float>{-0.2f});
    CHECK(equal.codes == std::vector<std::uint8_t>(9, 0));
  }
}

TEST_CASE("one centroid is the mean") {
  for (const KMeansInit init : kInits) {
    const Clustering clustering =
        kmeans(std::vector<float>{1.0f, 2.0f, 6.0f}, {.centroids = 1, .init = init});
    CHECK(clustering.centroids == std::vector<float>{3.0f});
    CHECK(clustering.distortion == Approx(14.0));
  }
}

TEST_CASE("values far from zero do not cancel") {
  std::vector<float> values;
  for (int i = 0; i < 400; ++i) {
    values.push_back(1000.0f + static_cast<float>(i % 4) * 0.25f +
                     static_cast<float>(i) * 0x1p-13f);
  }
  const Clustering clustering = kmeans(values, {.centroids = 4, .init = KMeansInit::kOptimal});
  CHECK(squared_error(values, clustering) == Approx(clustering.distortion).epsilon(0.01));
  CHECK(clustering.distortion < 0.1);
}

TEST_CASE("K-means refuses bad options and values that are not finite") {
  const std::vector<float> values{1.0f, 2.0f};
  CHECK_THROWS_AS(kmeans(values, {.centroids = 0}), ConfigError);
  CHECK_THROWS_AS(kmeans(values, {.centroids = 257}), ConfigError);
  CHECK_THROWS_AS(kmeans(values, {.max_iterations = -1}), ConfigError);
  CHECK_THROWS_AS(kmeans(values, {.tolerance = std::nan("")}), ConfigError);
  CHECK_THROWS_AS(kmeans(std::vector<float>{1.0f, std::nanf("")}, {}), ConfigError);
  CHECK_THROWS_AS(kmeans(std::vector<float>{-HUGE_VALF}, {}), ConfigError);
  CHECK_THROWS_AS(nearest_codes(values, {}), ConfigError);
}

TEST_CASE("the same seed gives the same clusters, another one others") {
  const std::vector<float> values = bell(500, 1);
  for (const KMeansInit init : {KMeansInit::kRandom, KMeansInit::kKMeansPlusPlus}) {
    const auto centroids = [&](std::uint64_t seed) {
      return kmeans(values, {.centroids = 8, .init = init, .max_iterations = 0, .seed = seed})
          .centroids;
    };
    CHECK(centroids(3) == centroids(3));
    CHECK(centroids(3) != centroids(4));
  }
}

TEST_CASE("a value of importance 3 counts as three equal values") {
  const std::vector<float> values = bell(700, 2);
  std::vector<float> importance;
  std::vector<float> repeated;
  for (std::size_t i = 0; i < values.size(); ++i) {
    importance.push_back(static_cast<float>(1 + i % 3));
    repeated.insert(repeated.end(), 1 + i % 3, values[i]);
  }
  const SortedValues weighted(values, importance);
  const SortedValues plain(repeated);
  CHECK(weighted.shift() == Approx(plain.shift()));
  CHECK(weighted.standard_deviation() == Approx(plain.standard_deviation()));
  CHECK(weighted.norm_squared() == Approx(plain.norm_squared()));
  CHECK(weighted.squares_within(0.2f) == Approx(plain.squares_within(0.2f)));
  for (const KMeansInit init : {KMeansInit::kLinear, KMeansInit::kOptimal}) {
    const KMeansOptions options{.centroids = 7, .init = init};
    const Codebook found = fit_codebook(KeptValues(weighted), options);
    const Codebook expected = fit_codebook(KeptValues(plain), options);
    REQUIRE(found.centroids.size() == expected.centroids.size());
    for (std::size_t j = 0; j < found.centroids.size(); ++j) {
      CHECK(found.centroids[j] == Approx(expected.centroids[j]).margin(1e-6));
    }
    CHECK(found.distortion == Approx(expected.distortion).epsilon(1e-6));
  }
}

TEST_CASE("weighted K-means has the least weighted error") {
  const std::vector<float> values = bell(3000, 5);
  std::vector<float> importance = bell(3000, 6);
  std::ranges::transform(importance, importance.begin(),
                         [](float x) { return std::exp(6.0f * x); });
  const auto error = [&](const std::vector<float>& centroids) {
    const std::vector<std::uint8_t> codes = nearest_codes(values, centroids);
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += importance[i] * std::pow(values[i] - centroids[codes[i]], 2);
    }
    return sum;
  };
  const SortedValues sorted(values, importance);
  const double best = error(
      fit_codebook(KeptValues(sorted), {.centroids = 8, .init = KMeansInit::kOptimal}).centroids);
  for (const KMeansInit init : kInits) {
    const KMeansOptions options{.centroids = 8, .init = init};
    const Codebook weighted = fit_codebook(KeptValues(sorted), options);
    CHECK(weighted.distortion == Approx(error(weighted.centroids)).epsilon(1e-6));
    CHECK(best <= weighted.distortion * (1 + 1e-6));
    CHECK(best < 0.99 * error(kmeans(values, options).centroids));
  }
}

TEST_CASE("the error of the smallest index leaves a parallel loop") {
  for (const int threads : {1, 4}) {
    const ThreadCount guard(threads);
    CHECK_THROWS_WITH(parallel_for(50,
                                   [](std::size_t i) {
                                     if (i >= 20) {
                                       throw ConfigError(std::to_string(i));
                                     }
                                   }),
                      "20");
  }
}
