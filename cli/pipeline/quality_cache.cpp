#include "cli/pipeline/quality_cache.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_bleu.h"
#include "formats/files/file.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

using nlohmann::ordered_json;

constexpr const char* kKind = "qualities";

std::string key_of(const QualityQuestion& question) {
  return fmt::format("model {} vocabulary {} text {} {}", fingerprint(question.checkpoint),
                     vocabulary_fingerprint(question.checkpoint), fingerprint(question.text),
                     signature(question.evaluation));
}

}  // namespace

QualityCache::QualityCache(std::string path) : path_(std::move(path)) {
  if (path_.empty() || !std::filesystem::exists(path_)) {
    return;
  }
  try {
    const ordered_json json = ordered_json::parse(formats::read_text_file(path_));
    for (const auto& [key, entry] : json.at(kKind).items()) {
      Quality& quality = known_[key];
      quality.bleu = bleu_from_json(entry.at("bleu"));
      if (entry.contains("nll")) {
        quality.nll = entry.at("nll").get<double>();
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(
        fmt::format("{}: expected what `verify` has measured, found: {}", path_, error.what()));
  }
}

Quality QualityCache::measure(const QualityQuestion& question, const Events& events,
                              const std::string& label) {
  Quality& quality = known_[key_of(question)];
  const auto& [checkpoint, text, evaluation, nll] = question;
  const bool language = is_language_model(checkpoint.config);
  const bool translates = !language && quality.bleu.size() != text.source.size();
  const bool reads = (nll || language) && !quality.nll;
  if (!translates && !reads) {
    return quality;
  }
  const Transformer model(checkpoint, evaluation.arithmetic);
  const TextCodec codec(checkpoint);
  if (translates) {
    quality.bleu = eval::bleu_of_model(model, codec, text, evaluation, events.start(label));
  }
  if (reads) {
    quality.nll = eval::loss_of_model(model, codec, text, evaluation).mean();
  }
  save();
  return quality;
}

void QualityCache::keep(const QualityQuestion& question, const Quality& quality) {
  known_[key_of(question)] = quality;
}

void QualityCache::save() const {
  if (path_.empty()) {
    return;
  }
  ordered_json entries = ordered_json::object();
  for (const auto& [key, quality] : known_) {
    entries[key] = {{"bleu", bleu_json(quality.bleu)}};
    if (quality.nll) {
      entries[key]["nll"] = *quality.nll;
    }
  }
  const std::string text = ordered_json{{kKind, entries}}.dump() + "\n";
  formats::write_file_atomically(path_, std::as_bytes(std::span(text)));
}

}  // namespace ltz::pipeline
