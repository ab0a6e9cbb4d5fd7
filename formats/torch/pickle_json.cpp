#include "formats/torch/pickle_json.h"

#include <fmt/format.h>

#include <string>

#include "formats/bytes/utf8.h"
#include "formats/torch/pickle_numpy.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// cfg has groups, a model's group has "encoder", that has "layers_to_keep".
constexpr int kMaxGroups = 3;
constexpr std::size_t kMaxItems = 4096;
constexpr std::size_t kMaxText = std::size_t{1} << 16;
// A node of OmegaConf around another.
constexpr int kMaxWrappers = 8;

// Bytes, about. Values that are not shared cost no more than so much for each byte of the pickle;
// a value that is referred to from several places is copied for each, so a small pickle can unfold
// to anything.
constexpr std::size_t kValueCost = 64;
constexpr std::size_t kSharedCost = std::size_t{1} << 19;

// Two's complement, little-endian.
double big_integer(std::string_view bytes) {
  double value = 0.0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    const bool sign = i + 1 == bytes.size();
    value = 256.0 * value + (sign ? static_cast<std::int8_t>(byte) : byte);
  }
  return value;
}

json unread(const std::string& what) {
  return json{{"__unread__", what}};
}

class Converter {
 public:
  explicit Converter(std::size_t pickle_size)
      : max_cost_(kSharedCost + (kValueCost + 1) * pickle_size) {}

  // depth: number of dicts around the value.
  json convert(PickleValue value, int depth) {
    spend(kValueCost);
    switch (value.type()) {
      case PickleType::kNone:
        return nullptr;
      case PickleType::kBool:
        return value.as_bool();
      case PickleType::kInteger:
        return value.as_integer();
      case PickleType::kBigInteger:
        return big_integer(value.as_big_integer());
      case PickleType::kDouble:
        return value.as_double();
      case PickleType::kString:
        return value.as_string().size() > kMaxText ? unread("a long string")
                                                   : json(text(value.as_string()));
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
        return unread(std::string(to_string(value.type())));
    }
  }

 private:
  void spend(std::size_t cost) {
    if (cost > max_cost_ - spent_) {
      throw FormatError(fmt::format("settings unfold to more than {} bytes", max_cost_));
    }
    spent_ += cost;
  }

  // A name that Python 2 wrote in some other encoding is no setting that matters.
  std::string text(std::string_view bytes) {
    spend(bytes.size());
    return is_valid_utf8(bytes) ? std::string(bytes) : std::string("(not UTF-8)");
  }

  // An empty container means the same at any depth: nothing is set.
  static bool is_too_large(PickleValue container, int depth) {
    return container.size() > 0 &&
           (depth > kMaxGroups || (depth > 0 && container.size() > kMaxItems));
  }

  static json unread_container(PickleValue value) {
    return unread(fmt::format("{} of {} items", to_string(value.type()), value.size()));
  }

  json array(PickleValue value, int depth) {
    if (is_too_large(value, depth)) {
      return unread_container(value);
    }
    json out = json::array();
    for (std::size_t i = 0; i < value.size(); ++i) {
      out.push_back(convert(value.item(i), kMaxGroups + 1));
    }
    return out;
  }

  json object(PickleValue value, int depth) {
    if (is_too_large(value, depth)) {
      return unread_container(value);
    }
    json out = json::object();
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto [key, item] = value.entry(i);
      if (key.is(PickleType::kString)) {
        out[text(key.as_string())] = convert(item, depth + 1);
      } else if (key.is(PickleType::kInteger)) {
        out[std::to_string(key.as_integer())] = convert(item, depth + 1);
      }
    }
    return out;
  }

  json instance(PickleValue value, int depth) {
    if (is_omegaconf(value)) {
      return wrapped(value, depth);
    }
    if (value.state().is(PickleType::kDict)) {
      return object(value.state(), depth);
    }
    if (const auto number = numpy_number(value)) {
      return *number;
    }
    // functools.partial(f) and the like: a call of what was itself called.
    for (int i = 0; i < kMaxWrappers && value.is(PickleType::kObject); ++i) {
      value = value.callable();
    }
    return json{{"__symbol__", value.is(PickleType::kSymbol) ? text(value.symbol()) : ""}};
  }

  static bool is_omegaconf(PickleValue value) {
    return value.is(PickleType::kObject) && value.state().is(PickleType::kDict) &&
           value.callable().is(PickleType::kSymbol) &&
           value.callable().symbol().starts_with("omegaconf.");
  }

  // What is in a container or a node of OmegaConf. Each also refers to the one around it: a cycle.
  json wrapped(PickleValue value, int depth) {
    for (int i = 0; i < kMaxWrappers && is_omegaconf(value); ++i) {
      auto inside = value.state().find("_content");
      inside = inside ? inside : value.state().find("_val");
      if (!inside) {
        return nullptr;
      }
      value = *inside;
    }
    return is_omegaconf(value) ? unread("nodes around each other") : convert(value, depth);
  }

  std::size_t max_cost_;
  std::size_t spent_ = 0;
};

}  // namespace

json to_json(PickleValue value) {
  return Converter(value.pickle_size()).convert(value, 0);
}

}  // namespace ltz::formats
