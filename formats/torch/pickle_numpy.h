#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "formats/torch/pickle.h"

namespace ltz::formats {

// The number that a scalar or an array of one element of NumPy is: np.int64(8), np.float32(0.5),
// np.bool_(True). Nothing for any other value, and for types that are no numbers.
std::optional<nlohmann::json> numpy_number(PickleValue value);

}  // namespace ltz::formats
