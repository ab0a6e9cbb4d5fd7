#include "malformed.h"

#include <catch2/catch.hpp>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "heap_peak.h"
#include "model/base/error.h"

namespace ltz::test {
namespace {

constexpr const char* kFileName = "bad.file";

}  // namespace

void read_h5_file(std::span<const std::byte> bytes, const std::string& name) {
  formats::read_hdf5(bytes, name);
}

void read_ltz_file(std::span<const std::byte> bytes, const std::string& name) {
  formats::decode_ltz(bytes, name);
}

void read_pt_file(std::span<const std::byte> bytes, const std::string& name) {
  formats::read_torch_checkpoint(bytes, name);
}

Refusal refusal(std::span<const std::byte> bytes, const Reader& read) {
  const HeapPeak peak;
  try {
    read(bytes, kFileName);
  } catch (const FormatError& error) {
    return {error.what(), peak.bytes()};
  } catch (const ConfigError& error) {
    return {error.what(), peak.bytes()};
  }
  return {"accepted", peak.bytes()};
}

void check_refused(const std::vector<Malformed>& files, const Reader& read,
                   std::size_t fixed_memory) {
  for (const Malformed& file : files) {
    const Refusal found = refusal(file.bytes, read);
    CAPTURE(file.name, file.bytes.size(), found.message, found.peak);
    CHECK_THAT(found.message, Catch::Matchers::StartsWith(std::string(kFileName) + ": "));
    for (const std::string& part : file.says) {
      CHECK_THAT(found.message, Catch::Matchers::Contains(part));
    }
    const std::size_t limit = file.bytes.size() + fixed_memory + file.library_bytes;
    CHECK(found.peak <= static_cast<std::int64_t>(limit));
  }
}

}  // namespace ltz::test
