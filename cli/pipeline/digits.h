#pragma once

#include <string>

namespace ltz::pipeline {

// 9,700,123
std::string with_separators(long long value);

}  // namespace ltz::pipeline
