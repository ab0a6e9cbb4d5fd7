#include "formats/models/file_kind.h"

#include <algorithm>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/safetensors/safetensors.h"

namespace ltz::formats {
namespace {

FileKind kind_of_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    return FileKind::kOther;
  }
  // A sentence may begin with "<unk>" or with a brace.
  std::string_view start = text;
  const auto skip_space = [&start] {
    start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  };
  skip_space();
  if (start.starts_with("<?xml") || start.starts_with("<testsuite")) {
    return FileKind::kXml;
  }
  if (start.starts_with('{')) {
    start.remove_prefix(1);
    skip_space();
    if (start.starts_with('"') || start.starts_with('}')) {
      return FileKind::kJson;
    }
  }
  return FileKind::kText;
}

}  // namespace

FileKind kind_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) || is_written_directly(path)) {
    return FileKind::kNothing;
  }
  constexpr std::streamsize kLooked = 65536;
  std::string start(kLooked, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), kLooked);
  start.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (start.empty()) {
    return std::filesystem::file_size(path, error) == 0 && !error ? FileKind::kNothing
                                                                  : FileKind::kOther;
  }
  const auto bytes = std::as_bytes(std::span(start));
  return is_ltz(bytes)                ? FileKind::kLtz
         : is_hdf5(bytes)             ? FileKind::kHdf5
         : is_torch_checkpoint(bytes) ? FileKind::kPt
         : is_safetensors(bytes)      ? FileKind::kSafetensors
                                      : kind_of_text(start);
}

std::string_view describe(FileKind kind) {
  switch (kind) {
    case FileKind::kNothing:
      return "nothing";
    case FileKind::kPt:
      return "a checkpoint";
    case FileKind::kHdf5:
      return "an .h5 file";
    case FileKind::kSafetensors:
      return "a .safetensors file";
    case FileKind::kLtz:
      return "a .ltz model";
    case FileKind::kJson:
      return "JSON";
    case FileKind::kXml:
      return "XML";
    case FileKind::kText:
      return "a text";
    case FileKind::kOther:
      return "another kind of file";
  }
  return {};
}

}  // namespace ltz::formats
