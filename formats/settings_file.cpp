#include "formats/settings_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>

#include "formats/fairseq.h"
#include "formats/utf8.h"
#include "model/context.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// Far above any list of settings.
constexpr std::size_t kMaxBytes = 1 << 20;

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

// Aliases are not followed deeper than one list, so that none can unfold without end.
json to_json(const YAML::Node& root) {
  if (!root.IsMap()) {
    throw FormatError("expected settings by name");
  }
  json settings = json::object();
  for (const auto& entry : root) {
    const YAML::Node& key = entry.first;
    const YAML::Node& value = entry.second;
    if (!key.IsScalar()) {
      throw FormatError(
          fmt::format("line {}: expected the name of a setting", key.Mark().line + 1));
    }
    const std::string& name = key.Scalar();
    if (settings.contains(name)) {
      throw FormatError(fmt::format("line {}: {} is there twice", key.Mark().line + 1, name));
    }
    if (is_plain(value)) {
      settings[name] = value.IsNull() ? json() : scalar_to_json(value);
    } else if (value.IsSequence() && std::all_of(value.begin(), value.end(), is_plain)) {
      json& list = settings[name] = json::array();
      for (const YAML::Node& item : value) {
        list.push_back(item.IsNull() ? json() : scalar_to_json(item));
      }
    }
  }
  return settings;
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

}  // namespace

bool is_settings_file(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return bytes.size() <= kMaxBytes && text.find("arch") != std::string_view::npos &&
         text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

json parse_settings(std::string_view text, const std::string& name) {
  return in_context(name, [&] {
    json settings = json::object();
    try {
      // JSON is YAML, too.
      const json parsed = to_json(YAML::Load(std::string(text)));
      for (const auto& [key, value] : parsed.items()) {
        std::string setting = key;
        std::ranges::replace(setting, '-', '_');
        if (!settings.emplace(setting, value).second) {
          throw FormatError(key + " is there twice");
        }
      }
    } catch (const YAML::Exception& error) {
      throw FormatError(fmt::format("line {}: {}", error.mark.line + 1, error.msg));
    }
    return settings;
  });
}

ModelConfig config_from_settings(const json& settings) {
  json args = settings;
  const int both = take_size(args, "vocabulary_size", 0);
  const int source = take_size(args, "source_vocabulary_size", both);
  const int target = take_size(args, "target_vocabulary_size", both);
  ModelConfig config = config_from_args(args);
  config.source_vocabulary_size = std::max(source, 1);
  config.target_vocabulary_size = std::max(target, 1);
  validate(config);
  config.source_vocabulary_size = source;
  config.target_vocabulary_size = target;
  return config;
}

}  // namespace ltz::formats
