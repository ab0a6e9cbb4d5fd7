#include "cli/pipeline/fingerprint.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "formats/bytes/config_json.h"
#include "formats/bytes/word_list.h"

namespace ltz::pipeline {

std::string fingerprint(std::string_view text) {
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
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

std::string vocabulary_fingerprint(const Checkpoint& checkpoint) {
  const std::string words =
      fingerprint({checkpoint.source_vocabulary.words(), checkpoint.target_vocabulary.words()});
  std::vector<std::string> segmentation = formats::merge_lines(checkpoint.merges);
  if (!checkpoint.sentencepiece.empty()) {
    segmentation.push_back(checkpoint.sentencepiece);
  }
  return words + "-" + fingerprint({segmentation, {}});
}

std::string fingerprint(const Checkpoint& checkpoint) {
  std::string model = formats::config_text(checkpoint.config) + "\n";
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::vector<float> values = tensor.values();
    model += fmt::format("{} {} {:016x}\n", name, to_string(tensor.shape),
                         XXH3_64bits(values.data(), values.size() * sizeof(float)));
  }
  return fingerprint(model);
}

std::string version() {
  return LTZ_VERSION;
}

formats::Provenance made_by_ltz() {
  return {{"ltz", version()}};
}

}  // namespace ltz::pipeline
