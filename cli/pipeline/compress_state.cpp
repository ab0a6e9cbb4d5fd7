#include "cli/pipeline/compress_state.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "cli/pipeline/measure_bleu.h"
#include "formats/files/file.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const TrialRecord& trial) {
  ordered_json json = {{"method", trial.method},
                       {"strength", trial.strength},
                       {"total", trial.sizes.total},
                       {"embedding", trial.sizes.embedding},
                       {"vocabulary", trial.sizes.vocabulary},
                       {"model", trial.sizes.model}};
  if (trial.bleu) {
    json["bleu"] = *trial.bleu;
  }
  if (trial.nll) {
    json["nll"] = *trial.nll;
  }
  return json;
}

TrialRecord trial_of(const ordered_json& json) {
  TrialRecord trial{.method = json.at("method"),
                    .strength = json.at("strength"),
                    .sizes = {.total = json.at("total"),
                              .embedding = json.at("embedding"),
                              .vocabulary = json.at("vocabulary"),
                              .model = json.at("model")}};
  if (json.contains("bleu")) {
    trial.bleu = json.at("bleu").get<double>();
  }
  if (json.contains("nll")) {
    trial.nll = json.at("nll").get<double>();
  }
  return trial;
}

}  // namespace

CompressState::CompressState(std::string path, std::map<std::string, std::string> measured)
    : path_(std::move(path)), measured_(std::move(measured)) {
  if (path_.empty() || !std::filesystem::exists(path_)) {
    return;
  }
  try {
    parse(formats::read_text_file(path_));
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(
        fmt::format("{}: expected the state of a compression, found: {}", path_, error.what()));
  }
}

void CompressState::parse(const std::string& text) {
  const ordered_json json = ordered_json::parse(text);
  for (const auto& [what, expected] : measured_) {
    const std::string found = json.at("measured").at(what);
    if (found != expected) {
      throw ConfigError(
          fmt::format("{}: expected what was measured with {} {}, found {}; remove the file or "
                      "choose another",
                      path_, what, expected, found));
    }
  }
  json.at("translations").get_to(translations);
  json.at("sensitivities").get_to(sensitivities);
  reference = bleu_from_json(json.at("reference"));
  if (json.contains("reference_nll")) {
    reference_nll = json.at("reference_nll").get<double>();
  }
  for (const ordered_json& trial : json.at("trials")) {
    trials.push_back(trial_of(trial));
  }
  if (json.contains("training")) {
    json.at("training").at("text").get_to(training_text);
    json.at("training").at("targets").get_to(training_targets);
  }
}

void CompressState::save() const {
  if (path_.empty()) {
    return;
  }
  ordered_json json = {{"measured", measured_},
                       {"translations", translations},
                       {"sensitivities", sensitivities},
                       {"reference", bleu_json(reference)},
                       {"trials", ordered_json::array()}};
  if (reference_nll) {
    json["reference_nll"] = *reference_nll;
  }
  for (const TrialRecord& trial : trials) {
    json["trials"].push_back(to_json(trial));
  }
  if (!training_text.empty()) {
    json["training"] = {{"text", training_text}, {"targets", training_targets}};
  }
  const std::string text = json.dump() + "\n";
  formats::write_file_atomically(path_, std::as_bytes(std::span(text)));
}

}  // namespace ltz::pipeline
