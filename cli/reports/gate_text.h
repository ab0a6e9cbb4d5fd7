#pragma once

#include <string>

#include "eval/budget/gates.h"

namespace ltz::cli {

// "max-bleu-drop 0.31 (limit: at most 0.10; point estimate)". As many digits as it takes to see
// that value and limit differ.
std::string gate_text(const eval::Gate& gate);

}  // namespace ltz::cli
