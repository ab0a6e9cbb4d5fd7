#include "formats/torch/pickle.h"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

bool has_items(PickleType type) {
  return type == PickleType::kList || type == PickleType::kTuple || type == PickleType::kSet;
}

}  // namespace

std::string_view to_string(PickleType type) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "None",      "a bool",         "an integer", "an integer beyond 64 bits",
      "a float",   "a string",       "bytes",      "a list",
      "a tuple",   "a dict",         "a set",      "a global",
      "an object", "a persistent id"};
  return kNames.at(static_cast<std::size_t>(type));
}

PickleType PickleValue::type() const {
  return pickle_->nodes_[index_].type;
}

void PickleValue::expect(PickleType wanted) const {
  if (type() != wanted) {
    throw FormatError(fmt::format("expected {}, found {}", to_string(wanted), to_string(type())));
  }
}

const std::vector<std::uint32_t>& PickleValue::children() const {
  static const std::vector<std::uint32_t> kEmpty;
  const std::uint64_t payload = pickle_->nodes_[index_].payload;
  return payload == Pickle::kNoChildren ? kEmpty : pickle_->lists_[payload];
}

std::string_view PickleValue::text() const {
  const Pickle::Node& node = pickle_->nodes_[index_];
  return std::string_view(pickle_->text_).substr(node.payload, node.text_length);
}

bool PickleValue::as_bool() const {
  expect(PickleType::kBool);
  return pickle_->nodes_[index_].payload != 0;
}

std::int64_t PickleValue::as_integer() const {
  expect(PickleType::kInteger);
  return static_cast<std::int64_t>(pickle_->nodes_[index_].payload);
}

std::string_view PickleValue::as_big_integer() const {
  expect(PickleType::kBigInteger);
  return text();
}

double PickleValue::as_double() const {
  if (is(PickleType::kInteger)) {
    return static_cast<double>(as_integer());
  }
  expect(PickleType::kDouble);
  return std::bit_cast<double>(pickle_->nodes_[index_].payload);
}

std::string_view PickleValue::as_string() const {
  expect(PickleType::kString);
  return text();
}

std::string_view PickleValue::as_bytes() const {
  expect(PickleType::kBytes);
  return text();
}

std::size_t PickleValue::size() const {
  if (is(PickleType::kDict)) {
    return children().size() / 2;
  }
  if (!has_items(type())) {
    expect(PickleType::kList);
  }
  return children().size();
}

PickleValue PickleValue::item(std::size_t index) const {
  if (!has_items(type())) {
    expect(PickleType::kList);
  }
  if (index >= children().size()) {
    throw FormatError(fmt::format("expected at least {} items, found {}", index + 1, size()));
  }
  return PickleValue(*pickle_, children()[index]);
}

std::pair<PickleValue, PickleValue> PickleValue::entry(std::size_t index) const {
  expect(PickleType::kDict);
  if (index >= size()) {
    throw FormatError(fmt::format("expected at least {} entries, found {}", index + 1, size()));
  }
  return {PickleValue(*pickle_, children()[2 * index]),
          PickleValue(*pickle_, children()[2 * index + 1])};
}

std::optional<PickleValue> PickleValue::find(std::string_view key) const {
  expect(PickleType::kDict);
  for (std::size_t i = size(); i-- > 0;) {
    const auto [name, value] = entry(i);
    if (name.is(PickleType::kString) && name.text() == key) {
      return value;
    }
  }
  return std::nullopt;
}

std::string_view PickleValue::symbol() const {
  expect(PickleType::kSymbol);
  return text();
}

PickleValue PickleValue::callable() const {
  expect(PickleType::kObject);
  return PickleValue(*pickle_, children()[0]);
}

PickleValue PickleValue::arguments() const {
  expect(PickleType::kObject);
  return PickleValue(*pickle_, children()[1]);
}

PickleValue PickleValue::state() const {
  expect(PickleType::kObject);
  return PickleValue(*pickle_, children()[2]);
}

PickleValue PickleValue::persistent_id() const {
  expect(PickleType::kPersistentId);
  return PickleValue(*pickle_, static_cast<std::uint32_t>(pickle_->nodes_[index_].payload));
}

bool PickleValue::is_call_of(std::string_view symbol_name) const {
  return is(PickleType::kObject) && callable().is(PickleType::kSymbol) &&
         callable().symbol() == symbol_name;
}

std::size_t PickleValue::pickle_size() const {
  return pickle_->consumed_;
}

std::vector<PickleValue> Pickle::persistent_ids() const {
  std::vector<PickleValue> ids;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].type == PickleType::kPersistentId) {
      ids.push_back(PickleValue(*this, i));
    }
  }
  return ids;
}

}  // namespace ltz::formats
