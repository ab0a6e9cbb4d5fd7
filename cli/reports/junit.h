#pragma once

#include <string>

#include "cli/pipeline/verify.h"

// JUnit XML for the gates, valid against the schemas of Ant (windyroad) and Jenkins (xunit-plugin).
namespace ltz::cli {

// A test case a gate. seconds: that verification took.
std::string junit_of(const pipeline::Verification& report, double seconds);

// For a command that ended before its gates were decided: one test case with an error.
std::string junit_of_error(const std::string& message, int exit_code);

}  // namespace ltz::cli
