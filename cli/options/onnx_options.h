#pragma once

#include <CLI/CLI.hpp>

#include "formats/onnx/onnx.h"

namespace ltz::cli {

// Whether and how a command is to write ONNX.
struct OnnxExport {
  bool wanted = false;
  formats::OnnxOptions options;
};

// --format onnx and the options that go with it only.
void add_onnx(CLI::App& command, OnnxExport& onnx);

}  // namespace ltz::cli
