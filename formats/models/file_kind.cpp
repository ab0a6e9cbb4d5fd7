#include "formats/models/file_kind.h"

#include <algorithm>
#include <fstream>
#include <span>
#include <string>
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
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) {
    return FileKind::kText;
  }
  return text[first] == '{'   ? FileKind::kJson
         : text[first] == '<' ? FileKind::kXml
                              : FileKind::kText;
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
