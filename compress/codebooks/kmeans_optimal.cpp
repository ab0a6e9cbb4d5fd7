#include <algorithm>
#include <limits>
#include <utility>

#include "compress/codebooks/kmeans.h"

namespace ltz::compress {

namespace {

constexpr std::size_t kExactPlaces = 4096;
constexpr std::size_t kSampledPlaces = 2048;

// Candidate borders: places[0] = 0 < … < places[m] = number of values, each the start of a run of
// equal values, which no optimal clustering cuts.
std::vector<std::size_t> border_places(const KeptValues& values) {
  std::vector<std::size_t> places = distinct_places(values, kExactPlaces);
  if (places.back() == values.size()) {
    return places;
  }
  places = {0, values.size()};
  const double low = values[0];
  const double range = values[values.size() - 1] - low;
  const std::size_t half = kSampledPlaces / 2;
  for (std::size_t i = 0; i < half; ++i) {
    places.push_back(values.count_up_to(low + range * static_cast<double>(i) / half));
    places.push_back(values.count_up_to(values[values.size() / half * i]));
  }
  std::ranges::sort(places);
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

// The layers of the dynamic programme: best(k, j) = min over i < j of best(k - 1, i) + error(i, j),
// the least distortion of the values before place j in k cells. Because the error is a Monge
// function, the minimising i never falls when j grows; so the middle j of a range splits the
// candidates for both halves.
class Programme {
 public:
  Programme(const KeptValues& values, const std::vector<std::size_t>& places) {
    for (const std::size_t place : places) {
      moments_.push_back(values.prefix(place));
    }
    best_.resize(places.size());
    for (std::size_t j = 1; j < places.size(); ++j) {
      best_[j] = error(0, j);
    }
  }

  // Adds a cell. Returns for every place j where the last cell begins.
  std::vector<std::uint16_t> add_layer() {
    ++layers_;
    next_.assign(best_.size(), std::numeric_limits<double>::infinity());
    begins_.assign(best_.size(), 0);
    solve(layers_, best_.size(), layers_ - 1, best_.size());
    std::swap(best_, next_);
    return begins_;
  }

 private:
  // Squared error of the values from place i to place j around their mean.
  double error(std::size_t i, std::size_t j) const {
    const Moments moments = moments_[j] - moments_[i];
    return moments.squares - moments.sum * moments.sum / moments.importance;
  }

  // Solves for j in [j_begin, j_end), whose last cells begin in [i_begin, i_end).
  void solve(std::size_t j_begin, std::size_t j_end, std::size_t i_begin, std::size_t i_end) {
    if (j_begin >= j_end) {
      return;
    }
    const std::size_t j = j_begin + (j_end - j_begin) / 2;
    double least = std::numeric_limits<double>::infinity();
    std::size_t begin = i_begin;
    for (std::size_t i = i_begin; i < std::min(i_end, j); ++i) {
      const double total = best_[i] + error(i, j);
      if (total < least) {
        least = total;
        begin = i;
      }
    }
    next_[j] = least;
    begins_[j] = static_cast<std::uint16_t>(begin);
    solve(j_begin, j, i_begin, begin + 1);
    solve(j + 1, j_end, begin, i_end);
  }

  std::vector<Moments> moments_;  // (m + 1): of the values before each place
  std::vector<double> best_;      // (m + 1): of the current layer; infinite with fewer places
  std::vector<double> next_;
  std::vector<std::uint16_t> begins_;
  std::size_t layers_ = 1;
};

}  // namespace

std::vector<double> optimal_centroids(const KeptValues& values, int count) {
  const std::vector<std::size_t> places = border_places(values);
  const std::size_t cells = std::min(static_cast<std::size_t>(count), places.size() - 1);
  Programme programme(values, places);
  std::vector<std::vector<std::uint16_t>> begins(1, std::vector<std::uint16_t>(places.size(), 0));
  while (begins.size() < cells) {
    begins.push_back(programme.add_layer());
  }
  std::vector<double> centroids(cells);
  std::size_t end = places.size() - 1;
  for (std::size_t cell = cells; cell-- > 0;) {
    const std::size_t begin = begins[cell][end];
    const Moments moments = values.prefix(places[end]) - values.prefix(places[begin]);
    centroids[cell] = values.shift() + moments.sum / moments.importance;
    end = begin;
  }
  return centroids;
}

}  // namespace ltz::compress
