#pragma once

#include <filesystem>
#include <string_view>

namespace ltz::formats {

// What a file is by its first bytes, not by its name: to replace only what is of the kind that is
// written.
enum class FileKind {
  kNothing,  // not there, empty, or not a regular file: nothing is lost
  kPt,
  kHdf5,
  kSafetensors,
  kLtz,
  kJson,
  kXml,
  kText,   // none of these two, without zero bytes
  kOther,  // and whatever cannot be read
};

FileKind kind_of(const std::filesystem::path& path);

// "a .ltz model", "JSON", "a text", …
std::string_view describe(FileKind kind);

}  // namespace ltz::formats
