#include "formats/fairseq/settings_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>

#include "formats/bytes/utf8.h"
#include "formats/fairseq/fairseq.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// Far above any list of settings.
constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxValues = 100'000;

// YAML's plain scalars by what they look like (YAML 1.2, core schema); quoted ones are strings.
json scalar_to_json(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") {
    return text;
  }
  std::int64_t integer = 0;
  if (YAML::convert<std::int64_t>::decode(node, integer)) {
    return integer;
  }
  double number = 0.0;
  if (YAML::convert<double>::decode(node, number)) {
    return number;
  }
  bool flag = false;
  if (YAML::convert<bool>::decode(node, flag)) {
    return flag;
  }
  return text;
}

bool is_plain(const YAML::Node& node) {
  return node.IsScalar() || node.IsNull();
}

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

// Collects the settings of a document.
class SettingsParser {
 public:
  json take() { return std::move(settings_); }

  // prefix: of all names in this map.
  void add(const YAML::Node& map, const std::string& prefix) {
    for (const auto& entry : map) {
      const YAML::Node& key = entry.first;
      const YAML::Node& value = entry.second;
      if (!key.IsScalar()) {
        throw FormatError(fmt::format("line {}: expected the name of a setting", line_of(key)));
      }
      std::string name = prefix + key.Scalar();
      std::ranges::replace(name, '-', '_');
      // fairseq >= 1.0 has the settings of a stack in a group of their own.
      if ((name == "encoder" || name == "decoder") && value.IsMap()) {
        add(value, name + "_");
      } else if (!settings_.emplace(name, to_json(value)).second) {
        throw FormatError(fmt::format("line {}: {} is there twice", line_of(key), name));
      }
    }
  }

 private:
  // What no setting has becomes an object with the line, which every setting refuses.
  json to_json(const YAML::Node& value) {
    if (is_plain(value)) {
      return plain_to_json(value);
    }
    if (!value.IsSequence() || !std::all_of(value.begin(), value.end(), is_plain)) {
      return {{"nested value", fmt::format("line {}", line_of(value))}};
    }
    json list = json::array();
    for (const YAML::Node& item : value) {
      list.push_back(plain_to_json(item));
    }
    return list;
  }

  // An alias is a few bytes and can stand for a long list.
  json plain_to_json(const YAML::Node& value) {
    if (++values_ > kMaxValues) {
      throw FormatError(fmt::format("settings unfold to more than {} values", kMaxValues));
    }
    return value.IsNull() ? json() : scalar_to_json(value);
  }

  json settings_ = json::object();
  std::size_t values_ = 0;
};

YAML::Node single_document(const std::string& text) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(text);
  if (documents.size() > 1) {
    throw FormatError(
        fmt::format("line {}: expected one document, found a second one", line_of(documents[1])));
  }
  if (documents.empty() || !documents[0].IsMap()) {
    throw FormatError("expected settings by name");
  }
  return documents[0];
}

int take_size(json& settings, const char* name, int fallback) {
  const auto found = settings.find(name);
  if (found == settings.end()) {
    return fallback;
  }
  constexpr std::int64_t kMost = 1 << 28;
  if (!found->is_number_integer() || *found < 1 || *found > kMost) {
    throw ConfigError(fmt::format("setting {}: expected an integer of 1 to {}, found {}", name,
                                  kMost, found->dump().substr(0, 40)));
  }
  const int size = found->get<int>();
  settings.erase(found);
  return size;
}

int last_cutoff(const ModelConfig& config) {
  int last = 0;
  for (const BandsConfig* bands : {&config.adaptive_input, &config.adaptive_softmax}) {
    last = bands->cutoffs.empty() ? last : std::max(last, bands->cutoffs.back());
  }
  return last;
}

}  // namespace

bool is_short_text(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return !bytes.empty() && bytes.size() <= kMaxBytes && text.find('\0') == std::string_view::npos &&
         is_valid_utf8(text);
}

json parse_settings(std::string_view text, const std::string& name) {
  return in_context(name, [&] {
    try {
      // JSON is YAML, too.
      SettingsParser parser;
      parser.add(single_document(std::string(text)), "");
      return parser.take();
    } catch (const YAML::Exception& error) {
      throw FormatError(fmt::format("line {}: {}", error.mark.line + 1, error.msg));
    }
  });
}

ModelConfig config_from_settings(const json& settings) {
  if (!settings.contains("arch")) {
    throw ConfigError(kNoArchitecture);
  }
  json args = settings;
  const int both = take_size(args, "vocabulary_size", 0);
  const int source = take_size(args, "source_vocabulary_size", both);
  const int target = take_size(args, "target_vocabulary_size", both);
  ModelConfig config = config_from_args(args);
  config.source_vocabulary_size = is_language_model(config) ? 0 : std::max(source, 1);
  config.target_vocabulary_size = std::max({target, 1, last_cutoff(config)});
  validate(config);
  config.source_vocabulary_size = is_language_model(config) ? 0 : source;
  config.target_vocabulary_size = target;
  return config;
}

}  // namespace ltz::formats
