#pragma once

#include <functional>
#include <span>

#include "compress/training/trained_codebook.h"

namespace ltz::compress {

// The multiple of the price of a bit at which the codes take about as many bits as wanted, within a
// thousandth: the current one if it does, else it is looked for by bisection of its logarithm, from
// 2^-6 to 2^10. Where the target is out of reach, what comes closest to it. bits_at: the more the
// factor is, the less, more or less.
float price_factor_for(double target_bits, float current,
                       const std::function<double(float)>& bits_at);

// Bits of the codes of them all (coded_bits), at their prices.
double code_bits(std::span<TrainedCodebook* const> codebooks);

// Holds the size of a model in training whose codes are free, as a constraint with one multiplier
// for all of these tensors: counts the lengths of the codes anew, so that what training has made
// rarer is dearer, and changes the price of a bit everywhere by the same factor until all codes
// take as many bits as wanted. codebooks: all priced, with the same factor. The same for any number
// of threads.
void hold_code_bits(std::span<TrainedCodebook* const> codebooks, double target_bits);

}  // namespace ltz::compress
