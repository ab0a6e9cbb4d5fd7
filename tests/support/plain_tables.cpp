#include <algorithm>
#include <cmath>

#include "tests/support/plain_model.h"

// What a plain model looks up, and the output that is tied to it: tables, or bands of them (Baevski
// & Auli 2019; Grave et al. 2017).
namespace ltz {
namespace {

// W x. weights: as many rows as there is room for.
std::vector<double> product(const std::vector<double>& weights, const std::vector<double>& x) {
  std::vector<double> y(weights.size() / x.size(), 0.0);
  for (std::size_t o = 0; o < y.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[o] += weights[o * x.size() + i] * x[i];
    }
  }
  return y;
}

// W^T x. weights: a row for each number of x.
std::vector<double> transposed_product(const std::vector<double>& weights,
                                       const std::vector<double>& x) {
  std::vector<double> y(weights.size() / x.size(), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t o = 0; o < y.size(); ++o) {
      y[o] += weights[i * y.size() + o] * x[i];
    }
  }
  return y;
}

void log_softmax(std::vector<double>& x) {
  const double largest = *std::ranges::max_element(x);
  double sum = 0.0;
  for (const double value : x) {
    sum += std::exp(value - largest);
  }
  for (double& value : x) {
    value -= largest + std::log(sum);
  }
}

// Where the bands of a vocabulary begin, and where the last one ends.
std::vector<std::size_t> bounds_of(const BandsConfig& bands, int vocabulary) {
  std::vector<std::size_t> bounds = {0};
  for (const int cutoff : bands.cutoffs) {
    bounds.push_back(static_cast<std::size_t>(cutoff));
  }
  if (bands.cutoffs.back() != vocabulary) {
    bounds.push_back(static_cast<std::size_t>(vocabulary));
  }
  return bounds;
}

std::string band_parameter(std::size_t band, const char* part) {
  return "decoder.embed_tokens.embeddings." + std::to_string(band) + part;
}

}  // namespace

// Before it is scaled.
std::vector<double> PlainModel::token_vector(int token, Stack which) const {
  const auto id = static_cast<std::size_t>(token);
  const bool encoder = which == Stack::kEncoder;
  const auto row = [](const std::vector<double>& table, std::size_t index, std::size_t width) {
    const auto begin = table.begin() + static_cast<std::ptrdiff_t>(index * width);
    return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(width));
  };
  if (encoder || config_.adaptive_input.cutoffs.empty()) {
    const bool first = encoder || config_.share_all_embeddings;
    const int width = (encoder ? config_.encoder : config_.decoder).embed_dim;
    return row(parameter(first ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight"), id,
               static_cast<std::size_t>(width));
  }
  const std::vector<std::size_t> bounds =
      bounds_of(config_.adaptive_input, config_.target_vocabulary_size);
  std::size_t band = 0;
  while (id >= bounds[band + 1]) {
    ++band;
  }
  const auto& table = parameter(band_parameter(band, ".0.weight"));
  const std::size_t width = table.size() / (bounds[band + 1] - bounds[band]);
  return product(parameter(band_parameter(band, ".1.weight")),
                 row(table, id - bounds[band], width));
}

PlainModel::Rows PlainModel::multiply_with_table(const Rows& x) const {
  const std::string output = config_.share_all_embeddings ? "encoder.embed_tokens.weight"
                             : config_.share_decoder_input_output_embed
                                 ? "decoder.embed_tokens.weight"
                                 : "decoder.embed_out";
  Rows logits;
  for (const auto& row : x) {
    logits.push_back(product(parameter(output), row));
  }
  return logits;
}

PlainModel::Rows PlainModel::adaptive_log_probabilities(const Rows& x) const {
  const std::string name = "decoder.adaptive_softmax.";
  const std::vector<std::size_t> bounds =
      bounds_of(config_.adaptive_softmax, config_.target_vocabulary_size);
  const std::size_t tails = bounds.size() - 2;
  Rows all;
  for (const auto& features : x) {
    std::vector<double> head;
    if (config_.tie_adaptive_weights) {
      const auto narrowing = parameters_.find(name + "head.word_proj.0.weight");
      head =
          product(parameter(band_parameter(0, ".0.weight")),
                  narrowing == parameters_.end() ? features : product(narrowing->second, features));
      if (tails != 0) {
        const auto classes = product(parameter(name + "head.class_proj.weight"), features);
        head.insert(head.end(), classes.begin(), classes.end());
      }
    } else {
      head = product(parameter(name + "head.weight"), features);
    }
    log_softmax(head);
    auto& row = all.emplace_back(head.begin(), head.end() - static_cast<std::ptrdiff_t>(tails));
    for (std::size_t j = 0; j < tails; ++j) {
      const std::string tail = name + "tail." + std::to_string(j);
      const std::vector<double> hidden =
          config_.tie_adaptive_proj
              ? transposed_product(parameter(band_parameter(j + 1, ".1.weight")), features)
              : product(parameter(tail + ".0.weight"), features);
      std::vector<double> words =
          product(config_.tie_adaptive_weights ? parameter(band_parameter(j + 1, ".0.weight"))
                                               : parameter(tail + ".2.weight"),
                  hidden);
      log_softmax(words);
      for (const double word : words) {
        row.push_back(head[bounds[1] + j] + word);
      }
    }
  }
  return all;
}

}  // namespace ltz
