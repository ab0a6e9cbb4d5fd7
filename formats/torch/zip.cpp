#include <fmt/format.h>
#include <zip.h>

#include <utility>

#include "formats/torch/archive.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kObjectName = "/data.pkl";

std::string message_of(zip_error_t error) {
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

// bytes must outlive the archive.
zip_t* open_archive(std::span<const std::byte> bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) {
    throw FormatError("zip archive: " + message_of(error));
  }
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (archive == nullptr) {
    zip_source_free(source);
    throw FormatError("zip archive: " + message_of(error));
  }
  zip_error_fini(&error);
  return archive;
}

struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

void TorchZip::Close::operator()(void* archive) const {
  zip_discard(static_cast<zip_t*>(archive));
}

TorchZip::TorchZip(std::span<const std::byte> bytes)
    : file_size_(bytes.size()), archive_(open_archive(bytes)) {
  index_entries();
  find_prefix();
  require_little_endian();
  const std::string name = prefix_ + std::string(kObjectName);
  read_entry(name);
  object_ = in_context(name, [&] {
    Pickle object = read_pickle(buffer_);
    if (object.consumed() != buffer_.size()) {
      throw FormatError(
          fmt::format("{} bytes after the pickle", buffer_.size() - object.consumed()));
    }
    return object;
  });
}

// Only plain entries: torch writes no others, and what is stored as it is cannot be larger than the
// file.
void TorchZip::index_entries() {
  auto* archive = static_cast<zip_t*>(archive_.get());
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t status;
    if (zip_stat_index(archive, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW, &status) != 0) {
      throw FormatError("zip archive: " + std::string(zip_strerror(archive)));
    }
    const zip_uint64_t required =
        ZIP_STAT_NAME | ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((status.valid & required) != required) {
      throw FormatError(fmt::format("zip archive: entry {} is incomplete", i));
    }
    const std::string name = status.name;
    if (status.comp_method != ZIP_CM_STORE || status.size != status.comp_size) {
      throw FormatError(
          fmt::format("zip entry {}: expected stored bytes, found compressed ones", name));
    }
    if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 &&
        status.encryption_method != ZIP_EM_NONE) {
      throw FormatError(fmt::format("zip entry {} is encrypted", name));
    }
    if (status.size > file_size_) {
      throw FormatError(
          fmt::format("zip entry {}: {} bytes in a file of {}", name, status.size, file_size_));
    }
    if (!entries_.emplace(name, Entry{status.index, status.size}).second) {
      throw FormatError(fmt::format("zip entry {} is there twice", name));
    }
  }
}

void TorchZip::find_prefix() {
  for (const auto& [name, entry] : entries_) {
    if (!name.ends_with(kObjectName)) {
      continue;
    }
    const std::string prefix = name.substr(0, name.size() - kObjectName.size());
    if (prefix.find('/') != std::string::npos) {
      continue;
    }
    if (!prefix_.empty()) {
      throw FormatError(fmt::format("zip archive: expected one data.pkl, found {}{} and {}",
                                    prefix_, kObjectName, name));
    }
    prefix_ = prefix;
  }
  if (prefix_.empty()) {
    throw FormatError("zip archive: no data.pkl inside, so torch.save did not write it");
  }
}

void TorchZip::require_little_endian() {
  const std::string name = prefix_ + "/byteorder";
  if (!entries_.contains(name)) {
    return;  // only torch >= 2.1 writes it
  }
  read_entry(name);
  const std::string_view order(reinterpret_cast<const char*>(buffer_.data()), buffer_.size());
  if (order != "little") {
    throw FormatError(fmt::format("{}: expected little, found {}", name, order.substr(0, 16)));
  }
}

void TorchZip::read_entry(const std::string& entry_name) {
  const auto found = entries_.find(entry_name);
  if (found == entries_.end()) {
    throw FormatError(fmt::format("zip entry {} is missing", entry_name));
  }
  // Entries that overlap would let a small file keep the reader busy for days.
  bytes_read_ += found->second.size;
  if (bytes_read_ > file_size_) {
    throw FormatError("zip archive: the entries overlap");
  }
  auto* archive = static_cast<zip_t*>(archive_.get());
  const std::unique_ptr<zip_file_t, CloseFile> file(
      zip_fopen_index(archive, found->second.index, 0));
  if (file == nullptr) {
    throw FormatError(fmt::format("zip entry {}: {}", entry_name, zip_strerror(archive)));
  }
  buffer_.resize(found->second.size);
  const zip_int64_t got = zip_fread(file.get(), buffer_.data(), buffer_.size());
  // Reading past the end is what makes libzip compare the checksum.
  std::byte past_the_end;
  if (got != static_cast<zip_int64_t>(buffer_.size()) ||
      zip_fread(file.get(), &past_the_end, 1) != 0) {
    zip_error_t* error = zip_file_get_error(file.get());
    const bool known = zip_error_code_zip(error) != ZIP_ER_OK;
    throw FormatError(fmt::format("zip entry {}: {}", entry_name,
                                  known ? zip_error_strerror(error) : "wrong length"));
  }
}

std::span<const std::byte> TorchZip::storage(const StorageReference& reference) {
  const std::string name = fmt::format("{}/data/{}", prefix_, reference.key);
  read_entry(name);
  const std::int64_t expected = reference.byte_count();
  if (buffer_.size() != static_cast<std::uint64_t>(expected)) {
    throw FormatError(fmt::format("zip entry {}: expected {} bytes ({} elements of {}), found {}",
                                  name, expected, reference.count, reference.storage_class,
                                  buffer_.size()));
  }
  return buffer_;
}

}  // namespace ltz::formats
