#include "formats/fairseq/cfg.h"

#include <string>
#include <string_view>

namespace ltz::formats {
namespace {

using nlohmann::json;

// References to references; more would be a cycle.
constexpr int kMaxHops = 8;

// "model.decoder.embed_dim" in the whole configuration; null where there is nothing.
json at_path(const json& cfg, std::string_view path) {
  const json* value = &cfg;
  while (value->is_object()) {
    const std::size_t dot = path.find('.');
    const auto found = value->find(std::string(path.substr(0, dot)));
    if (found == value->end()) {
      return nullptr;
    }
    value = &*found;
    if (dot == std::string_view::npos) {
      return *value;
    }
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

// What a value that may be a reference of OmegaConf stands for; null for its "???", a value that
// nobody has set.
json resolved(const json& cfg, json value) {
  for (int hop = 0; hop < kMaxHops && value.is_string(); ++hop) {
    const std::string text = value.get<std::string>();
    if (text == "???") {
      return nullptr;
    }
    if (!text.starts_with("${") || !text.ends_with("}")) {
      return value;
    }
    value = at_path(cfg, std::string_view(text).substr(2, text.size() - 3));
  }
  return value;
}

void add_settings(const json& cfg, const json& group, const std::string& prefix, json& args) {
  for (const auto& [key, value] : group.items()) {
    const std::string name = prefix + key;
    if ((name == "encoder" || name == "decoder") && value.is_object()) {
      add_settings(cfg, value, name + "_", args);
    } else {
      args[name] = resolved(cfg, value);
    }
  }
}

}  // namespace

json args_from_cfg(const json& cfg) {
  json args = json::object();
  for (const char* group : {"task", "model"}) {
    if (const auto found = cfg.find(group); found != cfg.end() && found->is_object()) {
      add_settings(cfg, *found, "", args);
    }
  }
  if (!args.contains("arch") && args.contains("_name")) {
    args["arch"] = args["_name"];
  }
  if (const json bpe = at_path(cfg, "bpe._name"); bpe.is_string()) {
    args["bpe"] = bpe;
  }
  return args;
}

}  // namespace ltz::formats
