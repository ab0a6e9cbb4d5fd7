#include "formats/bytes/provenance.h"

#include <nlohmann/json.hpp>

#include "model/base/error.h"

namespace ltz::formats {

using nlohmann::ordered_json;

std::string provenance_text(const Provenance& provenance) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : provenance) {
    json[name] = value;
  }
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Provenance provenance_from_text(std::string_view text) {
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw FormatError("expected a JSON object");
  }
  Provenance provenance;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) {
      throw FormatError("expected a string for each name, found \"" + name + "\" without one");
    }
    provenance.emplace_back(name, value.get<std::string>());
  }
  return provenance;
}

}  // namespace ltz::formats
