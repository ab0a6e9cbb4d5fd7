#pragma once

#include <span>
#include <string>
#include <vector>

#include "golden_file.h"
#include "model/checkpoint/gradients.h"
#include "model/decoding/beam_search.h"

// Comparisons with the reference's outputs, as checks of the test that calls them.
namespace ltz::test {

inline constexpr double kTolerance = 1e-4;

double largest_difference(std::span<const float> found, const std::vector<float>& expected);

// "beam4_lenpen0.6_maxlen1.2x+10"
BeamOptions parse_search(const std::string& name);

void check_same(const Hypothesis& found, const GoldenHypothesis& expected);
// Of one sentence, as many, in their order.
void check_same(const std::vector<Hypothesis>& found,
                const std::vector<GoldenHypothesis>& expected);

// Those of the mean loss over so many tokens, tensor by tensor.
void check_gradients(const Gradients& found, std::int64_t tokens, const GoldenFile& golden);

}  // namespace ltz::test
