#include "formats/safetensors/header.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// torch itself refuses tensors of more dimensions.
constexpr std::size_t kMaxRank = 64;

constexpr const char* kDtype = "dtype";
constexpr const char* kShape = "shape";
constexpr const char* kOffsets = "data_offsets";

// Builds the header from the parser's events. A document tree would take twenty times the bytes of
// a hostile header, keep only the last of two equal keys, and nest as deep as the file says; here,
// whatever has no place in a header is refused where it begins.
class HeaderBuilder : public nlohmann::json_sax<json> {
 public:
  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool value) override { unexpected(value ? "true" : "false"); }
  bool number_float(double, const std::string& text) override { unexpected(text); }
  bool number_integer(std::int64_t value) override { unexpected(std::to_string(value)); }
  bool binary(json::binary_t&) override { unexpected("bytes"); }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ != Place::kNumbers || value > std::numeric_limits<std::int64_t>::max()) {
      unexpected(std::to_string(value));
    }
    const std::size_t limit = field_ == kShape ? kMaxRank : 2;
    if (numbers_.size() == limit) {
      fail(fmt::format("{}: expected at most {} numbers", field_, limit));
    }
    numbers_.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = std::move(value);
    } else if (place_ == Place::kTensor && field_ == kDtype) {
      entry_.dtype = std::move(value);
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = name_ == kSafetensorsMetadata ? Place::kMetadata : Place::kTensor;
      fields_.clear();
      entry_ = {};
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(std::string& key) override {
    if (place_ == Place::kTop) {
      name_ = key;
      const bool metadata = name_ == kSafetensorsMetadata;
      if (metadata ? std::exchange(has_metadata_, true) : header_.tensors.contains(name_)) {
        throw FormatError(fmt::format("header: the key \"{}\" is there twice", name_));
      }
    } else if (place_ == Place::kMetadata) {
      key_ = key;
      if (!header_.metadata.emplace(key_, "").second) {
        throw FormatError(fmt::format("metadata: the key \"{}\" is there twice", key_));
      }
    } else {
      if (key != kDtype && key != kShape && key != kOffsets) {
        fail(fmt::format("expected dtype, shape and data_offsets, found \"{}\"", key));
      }
      if (!fields_.insert(key).second) {
        fail(fmt::format("{} is there twice", key));
      }
      field_ = key;
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) {
      for (const char* field : {kDtype, kShape, kOffsets}) {
        if (!fields_.contains(field)) {
          fail(fmt::format("{} is missing", field));
        }
      }
      header_.tensors.emplace(name_, std::move(entry_));
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kTensor || field_ == kDtype) {
      unexpected("an array");
    }
    place_ = Place::kNumbers;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (field_ == kShape) {
      entry_.shape = numbers_;
    } else if (numbers_.size() == 2) {
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    } else {
      fail(fmt::format("data_offsets: expected 2 numbers, found {}", numbers_.size()));
    }
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    throw FormatError(fmt::format("header: {}", error.what()));
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kNumbers, kEnd };

  [[noreturn]] void fail(const std::string& reason) const {
    throw FormatError(fmt::format("tensor {}: {}", name_, reason));
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    switch (place_) {
      case Place::kTop:
        if (name_ == kSafetensorsMetadata) {
          throw FormatError(fmt::format("metadata: expected an object, found {}", found));
        }
        fail("expected an object, found " + found);
      case Place::kMetadata:
        throw FormatError(fmt::format("metadata {}: expected a string, found {}", key_, found));
      case Place::kTensor:
        fail(fmt::format("{}: expected {}, found {}", field_,
                         field_ == kDtype ? "a string" : "an array", found));
      case Place::kNumbers:
        fail(fmt::format("{}: expected integers of 0 to 2^63 - 1, found {}", field_, found));
      default:
        throw FormatError(fmt::format("header: expected one JSON object, found {}", found));
    }
  }

  SafetensorsHeader header_;
  Place place_ = Place::kStart;
  bool has_metadata_ = false;
  std::string name_;   // key of the top level
  std::string key_;    // of the metadata
  std::string field_;  // of the tensor
  std::set<std::string> fields_;
  SafetensorsEntry entry_;
  Shape numbers_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text) {
  if (!text.starts_with('{')) {
    throw FormatError("header: expected \"{\" as its first byte");
  }
  text.remove_suffix(text.size() - text.find_last_not_of(' ') - 1);
  // Behind the object the parser would skip any white space, and it stops at a NUL.
  if (!text.ends_with('}') || text.find('\0') != std::string_view::npos) {
    throw FormatError("header: expected one JSON object and nothing but spaces behind it");
  }
  HeaderBuilder builder;
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string safetensors_header_text(const SafetensorsHeader& header) {
  json object = json::object();
  if (!header.metadata.empty()) {
    object[kSafetensorsMetadata] = header.metadata;
  }
  for (const auto& [name, entry] : header.tensors) {
    object[name] = {
        {kDtype, entry.dtype}, {kShape, entry.shape}, {kOffsets, {entry.begin, entry.end}}};
  }
  std::string text = object.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kSafetensorsMaxHeader) {
    throw FormatError(
        fmt::format("configuration and vocabularies take {} bytes, more than the {} of a "
                    ".safetensors header",
                    text.size(), kSafetensorsMaxHeader));
  }
  return text;
}

}  // namespace ltz::formats
