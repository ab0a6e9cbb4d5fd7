#include "compress/second_order/second_order.h"

#include <optional>
#include <string>

#include "compress/second_order/rounding.h"
#include "model/base/error.h"

namespace ltz::compress {

std::string_view to_string(CodebookStart start) {
  return start == CodebookStart::kUniform ? "uniform" : "k-means";
}

SecondOrderResult quantize_second_order(std::span<const float> weights, const InputMoments& moments,
                                        const SecondOrderOptions& options) {
  if (!(options.lambda > 0.0)) {
    throw ConfigError("lambda must be positive, found " + std::to_string(options.lambda));
  }
  const auto columns = static_cast<std::size_t>(moments.columns());
  if (moments.count == 0 || columns == 0 || weights.size() % columns != 0) {
    throw ConfigError("expected moments of the matrix's inputs, found " + std::to_string(columns) +
                      " columns of " + std::to_string(moments.count) + " inputs for " +
                      std::to_string(weights.size()) + " weights");
  }
  if (!options.row_weights.empty() && options.row_weights.size() != weights.size() / columns) {
    throw ConfigError("expected a weight for each of " + std::to_string(weights.size() / columns) +
                      " rows, found " + std::to_string(options.row_weights.size()));
  }
  const InputGeometry geometry =
      input_geometry(moments, {.damping = options.damping, .centred = options.centred});
  const auto feed_forward = [&](Rounding& rounding) {
    for (int pass = 0; pass < options.passes; ++pass) {
      rounding.feed_errors_forward();
    }
  };
  Rounding uniform(weights, geometry, options);
  uniform.start_uniform();
  feed_forward(uniform);
  Rounding* best = &uniform;
  std::optional<Rounding> cells;
  if (options.k_means_too) {
    cells.emplace(weights, geometry, options);
    cells->start_k_means(uniform.points_in_use());
    feed_forward(*cells);
    best = cells->objective() < uniform.objective() ? &*cells : &uniform;
  }
  best->refit_points();
  for (int sweep = 0; sweep < options.sweeps; ++sweep) {
    best->descend();
    best->refit_points();
  }
  return best->result();
}

}  // namespace ltz::compress
