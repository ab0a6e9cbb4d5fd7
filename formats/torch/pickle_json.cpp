#include "formats/torch/pickle_json.h"

#include <fmt/format.h>

#include <string>

#include "formats/bytes/utf8.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;
// Bytes, about. A value that is referred to from several places is copied for each, so a small
// pickle can unfold to anything; the settings of fairseq are 200 to 1000 values.
constexpr std::size_t kMaxCost = std::size_t{1} << 19;
constexpr std::size_t kValueCost = 64;

class Converter {
 public:
  json convert(PickleValue value, int depth) {
    spend(kValueCost);
    if (depth > kMaxDepth) {
      throw FormatError(fmt::format("settings are nested more than {} deep", kMaxDepth));
    }
    switch (value.type()) {
      case PickleType::kBool:
        return value.as_bool();
      case PickleType::kInteger:
        return value.as_integer();
      case PickleType::kDouble:
        return value.as_double();
      case PickleType::kString:
        return text(value.as_string());
      case PickleType::kList:
      case PickleType::kTuple:
      case PickleType::kSet:
        return array(value, depth);
      case PickleType::kDict:
        return object(value, depth);
      case PickleType::kSymbol:
        return json{{"__symbol__", text(value.symbol())}};
      case PickleType::kObject:
        return instance(value, depth);
      default:
        return nullptr;
    }
  }

 private:
  void spend(std::size_t cost) {
    if (cost > kMaxCost - spent_) {
      throw FormatError(fmt::format("settings unfold to more than {} bytes", kMaxCost));
    }
    spent_ += cost;
  }

  // A name that Python 2 wrote in some other encoding is no setting that matters.
  std::string text(std::string_view bytes) {
    spend(bytes.size());
    return is_valid_utf8(bytes) ? std::string(bytes) : std::string("(not UTF-8)");
  }

  json array(PickleValue value, int depth) {
    json out = json::array();
    for (std::size_t i = 0; i < value.size(); ++i) {
      out.push_back(convert(value.item(i), depth + 1));
    }
    return out;
  }

  json object(PickleValue value, int depth) {
    json out = json::object();
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto [key, item] = value.entry(i);
      const bool number = key.is(PickleType::kInteger);
      out[number ? std::to_string(key.as_integer()) : text(key.as_string())] =
          convert(item, depth + 1);
    }
    return out;
  }

  json instance(PickleValue value, int depth) {
    if (value.state().is(PickleType::kDict)) {
      return is_omegaconf(value) ? wrapped(value.state(), depth) : object(value.state(), depth);
    }
    // functools.partial(f) and the like: a call of what was itself called.
    for (int i = 0; i < kMaxDepth && value.is(PickleType::kObject); ++i) {
      value = value.callable();
    }
    return json{{"__symbol__", value.is(PickleType::kSymbol) ? text(value.symbol()) : ""}};
  }

  static bool is_omegaconf(PickleValue object) {
    const PickleValue callable = object.callable();
    return callable.is(PickleType::kSymbol) && callable.symbol().starts_with("omegaconf.");
  }

  // What is in a container or a node of OmegaConf. Each also refers to the one around it: a cycle.
  json wrapped(PickleValue state, int depth) {
    for (const char* attribute : {"_content", "_val"}) {
      if (const auto inside = state.find(attribute)) {
        return convert(*inside, depth + 1);
      }
    }
    return nullptr;
  }

  std::size_t spent_ = 0;
};

}  // namespace

json to_json(PickleValue value) {
  return Converter().convert(value, 0);
}

}  // namespace ltz::formats
