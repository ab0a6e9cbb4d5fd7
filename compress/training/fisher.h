#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "compress/calibration/calibration.h"
#include "model/base/progress.h"
#include "model/layers/transformer.h"

namespace ltz::compress {

// By name of the parameter, row-major as it is: how much each of its values matters.
using Importance = std::map<std::string, std::vector<float>>;

// The diagonal of the empirical Fisher matrix: of every parameter, the mean over sentences of the
// squared gradient of a sentence's negative log-likelihood (the sum over its target tokens, in
// nats). A change d of a value raises the loss of a sentence by about d^2 / 2 times that, so it
// stands for the diagonal of the Hessian where that is wanted (Choi et al. 2017, section 3;
// SqueezeLLM, Kim et al. 2023, section 4.1). Squares of single sentences, because the gradients of
// several largely cancel before they are squared.
//
// Shares of the sentences that do not depend on the threads are added up in a fixed order: the same
// for any number of threads. Memory: 32 bytes for every value of the model. Throws ConfigError for
// texts of different or no length, and, naming the tensor, for gradients that are not finite.
Importance squared_gradients(const Transformer& model, const EncodedText& text,
                             const Progress& on_sentences = {});

// What weighted K-means takes: squared gradients as multiples of their mean, and 0.1 more, because
// an estimate of zero from few sentences does not mean that a weight may be anything. 1 where all
// are zero. squared_gradients: (n). Returns (n).
std::vector<float> clustering_importance(const std::vector<float>& squared_gradients);

}  // namespace ltz::compress
