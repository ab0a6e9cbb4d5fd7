#include "tests/support/tiny_calibration.h"

#include <random>

#include "compress/calibration/token_tables.h"

namespace ltz {

using compress::Calibration;

EncodedText tiny_text() {
  return {.source = {{4, 5, 6, 7, 2}, {8, 9, 2}, {10, 11, 12, 13, 14, 15, 2}, {5, 2}},
          .target = {{4, 5, 2}, {6, 7, 8, 9, 2}, {10, 2}, {11, 12, 2}}};
}

EncodedText long_text() {
  EncodedText text;
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    TokenIds source(1 + random() % 9, 0);
    for (int& token : source) {
      token = static_cast<int>(4 + random() % 12);
    }
    source.push_back(Vocabulary::kEos);
    text.source.push_back(source);
    text.target.push_back({static_cast<int>(4 + random() % 9), Vocabulary::kEos});
  }
  return text;
}

Calibration tiny_calibration(const Checkpoint& checkpoint, const EncodedText& text) {
  Transformer model(checkpoint);
  Calibration calibration{
      .text = text,
      .moments = compress::all_moments(model, text),
      .row_weights = compress::table_row_weights(
          checkpoint, compress::token_frequencies(checkpoint, text.source, text.target)),
      .sensitivities = {}};
  for (const auto& [name, moments] : calibration.moments) {
    calibration.sensitivities[name] = 1.0;
  }
  return calibration;
}

}  // namespace ltz
