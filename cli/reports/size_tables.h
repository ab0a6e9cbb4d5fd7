#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/budget/gates.h"
#include "formats/ltz/ltz.h"

// Where the bytes of an artifact go, of a real one or a planned one.
namespace ltz::cli {

struct TensorSize {
  std::string group;  // see group_name
  std::int64_t parameters = 0;
  std::int64_t zeros = 0;
  std::int64_t bytes = 0;
};

// A row per group, in the order of their first tensors, and one for all.
std::string group_table(const std::vector<TensorSize>& tensors);

// The three ratios, each with the bytes it is made of; bits per weight; the parts of the file.
std::string size_text(const eval::SizeReport& size);
// The same as "ratios", "bits_per_weight" and "bytes".
nlohmann::ordered_json size_json(const eval::SizeReport& size);

}  // namespace ltz::cli
