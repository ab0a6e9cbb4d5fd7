// Facts: the README of huggingface/safetensors, section "Format", and the checks and element types
// of its safetensors/src/tensor.rs.

#include "formats/safetensors/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "formats/bytes/bytes.h"
#include "formats/bytes/checked.h"
#include "formats/safetensors/header.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::pair<std::string_view, std::int64_t> kDtypes[] = {
    {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
    {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
    {"I64", 64},        {"U64", 64},
};

// Bytes that dtype and shape ask for.
std::int64_t byte_count(const SafetensorsEntry& entry) {
  const auto bits = safetensors_bits(entry.dtype);
  if (!bits) {
    throw FormatError(fmt::format("unknown dtype \"{}\"", entry.dtype));
  }
  const std::int64_t all_bits = checked_multiply(element_count(entry.shape), *bits);
  if (all_bits % 8 != 0) {
    throw FormatError(fmt::format("shape {} of {} does not fill whole bytes",
                                  to_string(entry.shape), entry.dtype));
  }
  return all_bits / 8;
}

void check_size(const SafetensorsEntry& entry, std::int64_t buffer_size) {
  if (entry.begin > entry.end || entry.end > buffer_size) {
    throw FormatError(fmt::format("data_offsets: {} to {} are not within the {} bytes of data",
                                  entry.begin, entry.end, buffer_size));
  }
  const std::int64_t expected = byte_count(entry);
  if (entry.end - entry.begin != expected) {
    throw FormatError(fmt::format("shape {} of {}: expected {} bytes, found {}",
                                  to_string(entry.shape), entry.dtype, expected,
                                  entry.end - entry.begin));
  }
}

// The tensors, put in the order of their bytes, leave no hole and share no byte.
void check_places(const std::map<std::string, SafetensorsEntry>& tensors,
                  std::int64_t buffer_size) {
  std::vector<std::tuple<std::int64_t, std::int64_t, const std::string*>> places;
  places.reserve(tensors.size());
  for (const auto& [name, entry] : tensors) {
    places.emplace_back(entry.begin, entry.end, &name);
  }
  std::ranges::sort(places, {}, [](const auto& place) {
    return std::pair(std::get<0>(place), std::get<1>(place));
  });
  std::int64_t expected = 0;
  for (const auto& [begin, end, name] : places) {
    if (begin != expected) {
      throw FormatError(
          fmt::format("tensor {}: data_offsets: expected to begin at byte {}, where "
                      "another tensor ends, found {}: {}",
                      *name, expected, begin, begin < expected ? "tensors overlap" : "a hole"));
    }
    expected = end;
  }
  if (expected != buffer_size) {
    throw FormatError(fmt::format("{} bytes behind the last tensor", buffer_size - expected));
  }
}

}  // namespace

std::optional<std::int64_t> safetensors_bits(std::string_view dtype) {
  const auto* found =
      std::ranges::find(kDtypes, dtype, &std::pair<std::string_view, std::int64_t>::first);
  return found == std::end(kDtypes) ? std::nullopt : std::optional(found->second);
}

bool is_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > kSafetensorsLengthBytes &&
         get_integer<std::uint64_t>(bytes.data()) >> 32 == 0 &&
         bytes[kSafetensorsLengthBytes] == std::byte{'{'};
}

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, "header");
  const auto length = reader.integer<std::uint64_t>();
  if (length > kSafetensorsMaxHeader) {
    reader.fail(fmt::format("expected at most {} bytes, found {}", kSafetensorsMaxHeader, length));
  }
  const auto text = reader.take(length);
  SafetensorsHeader header =
      parse_safetensors_header({reinterpret_cast<const char*>(text.data()), text.size()});
  const std::span<const std::byte> buffer = reader.take(reader.remaining());
  const auto buffer_size = static_cast<std::int64_t>(buffer.size());
  for (const auto& [name, entry] : header.tensors) {
    in_context("tensor " + name, [&, &checked = entry] { check_size(checked, buffer_size); });
  }
  check_places(header.tensors, buffer_size);
  SafetensorsFile file{std::move(header.metadata), {}};
  for (const auto& [name, entry] : header.tensors) {
    file.tensors.emplace(
        name, SafetensorsView{entry.dtype, entry.shape,
                              buffer.subspan(static_cast<std::size_t>(entry.begin),
                                             static_cast<std::size_t>(entry.end - entry.begin))});
  }
  return file;
}

std::vector<std::byte> encode_safetensors(const SafetensorsFile& file) {
  std::vector<std::pair<std::string, const SafetensorsView*>> tensors;
  for (const auto& [name, tensor] : file.tensors) {
    tensors.emplace_back(name, &tensor);
  }
  // So that all elements are at multiples of their size.
  std::ranges::stable_sort(tensors, std::greater(), [](const auto& entry) {
    return safetensors_bits(entry.second->dtype).value_or(0);
  });
  SafetensorsHeader header{.metadata = file.metadata};
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::int64_t end = offset + static_cast<std::int64_t>(tensor->bytes.size());
    header.tensors[name] = {tensor->dtype, tensor->shape, offset, end};
    offset = end;
  }
  const std::string text = safetensors_header_text(header);
  std::vector<std::byte> bytes;
  bytes.reserve(kSafetensorsLengthBytes + text.size() + static_cast<std::size_t>(offset));
  put_integer(bytes, static_cast<std::uint64_t>(text.size()));
  put_bytes(bytes, std::as_bytes(std::span(text)));
  for (const auto& [name, tensor] : tensors) {
    put_bytes(bytes, tensor->bytes);
  }
  return bytes;
}

}  // namespace ltz::formats
