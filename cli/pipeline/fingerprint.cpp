#include "cli/pipeline/fingerprint.h"

#include <fmt/format.h>

#include <span>

#include "formats/bytes/crc32c.h"

namespace ltz::cli {

std::string fingerprint(std::string_view text) {
  return fmt::format("{:08x}", formats::crc32c(std::as_bytes(std::span(text))));
}

std::string fingerprint(const eval::ParallelText& text) {
  std::string words;
  for (const auto* side : {&text.source, &text.reference}) {
    for (const std::string& line : *side) {
      words += line + "\n";
    }
  }
  return fingerprint(words);
}

std::string fingerprint(const Checkpoint& checkpoint) {
  std::string tensors;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::vector<float> values = tensor.values();
    tensors += fmt::format("{} {:08x}\n", name, formats::crc32c(std::as_bytes(std::span(values))));
  }
  return fingerprint(tensors);
}

}  // namespace ltz::cli
