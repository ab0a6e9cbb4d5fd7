#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <utility>

#include "formats/torch/archive.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kObjectName = "/data.pkl";

// No byte of a deflated entry stands for more (zlib's technical details).
constexpr std::uint64_t kDeflateRatio = 1032;
// What may come out of an archive with deflated entries, far more than weights give: so many times
// its bytes, and as much more for tiny ones.
constexpr std::uint64_t kMaxInflation = 64;
constexpr std::uint64_t kSmallInflation = std::uint64_t{1} << 26;

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
  find_byte_order();
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
    if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 &&
        status.encryption_method != ZIP_EM_NONE) {
      throw FormatError(fmt::format("zip entry {} is encrypted", name));
    }
    if (status.comp_size > file_size_) {
      throw FormatError(fmt::format("zip entry {}: {} bytes in a file of {}", name,
                                    status.comp_size, file_size_));
    }
    const Entry entry{status.index, status.size, status.comp_size, status.comp_method};
    if (!entries_.emplace(name, entry).second) {
      throw FormatError(fmt::format("zip entry {} is there twice", name));
    }
    has_deflated_ = has_deflated_ || entry.method == ZIP_CM_DEFLATE;
  }
}

std::uint64_t TorchZip::content_limit() const {
  return has_deflated_ ? file_size_ * kMaxInflation + kSmallInflation : file_size_;
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

void TorchZip::find_byte_order() {
  const std::string name = prefix_ + "/byteorder";
  if (!entries_.contains(name)) {
    return;  // only torch >= 2.1 writes it
  }
  read_entry(name);
  const std::string_view order(reinterpret_cast<const char*>(buffer_.data()), buffer_.size());
  if (order != "little" && order != "big") {
    throw FormatError(
        fmt::format("{}: expected little or big, found {}", name, order.substr(0, 16)));
  }
  big_endian_ = order == "big";
}

const TorchZip::Entry& TorchZip::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw FormatError(fmt::format("zip entry {} is missing", name));
  }
  return found->second;
}

// What an entry says of its size is believed as far as its packed bytes can hold it. Entries that
// overlap would let a small file keep the reader busy for days.
void TorchZip::account_for(const std::string& entry_name, const Entry& entry) {
  if (entry.method != ZIP_CM_STORE && entry.method != ZIP_CM_DEFLATE) {
    throw FormatError(
        fmt::format("zip entry {}: expected stored or deflated bytes, found method {}", entry_name,
                    entry.method));
  }
  const bool deflated = entry.method == ZIP_CM_DEFLATE;
  if (deflated ? entry.size / kDeflateRatio > entry.packed_size : entry.size != entry.packed_size) {
    throw FormatError(fmt::format("zip entry {}: {} bytes, {} as they are stored, do not fit",
                                  entry_name, entry.size, entry.packed_size));
  }
  packed_read_ += entry.packed_size;
  if (packed_read_ > file_size_) {
    throw FormatError("zip archive: the entries overlap");
  }
  bytes_read_ += entry.size;
  if (bytes_read_ > content_limit()) {
    throw FormatError(fmt::format("zip entry {}: more than {} bytes come out of a file of {}",
                                  entry_name, content_limit(), file_size_));
  }
}

void TorchZip::read_entry(const std::string& entry_name) {
  const Entry& found = entry(entry_name);
  account_for(entry_name, found);
  auto* archive = static_cast<zip_t*>(archive_.get());
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive, found.index, 0));
  if (file == nullptr) {
    throw FormatError(fmt::format("zip entry {}: {}", entry_name, zip_strerror(archive)));
  }
  buffer_.resize(found.size);
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
  const std::uint64_t found = entry(name).size;
  const std::int64_t expected = reference.byte_count();
  if (found != static_cast<std::uint64_t>(expected)) {
    throw FormatError(fmt::format("zip entry {}: expected {} bytes ({} elements of {}), found {}",
                                  name, expected, reference.count, reference.storage_class, found));
  }
  read_entry(name);
  if (big_endian_) {
    const std::int64_t size = storage_element_size(reference.storage_class);
    for (auto element = buffer_.begin(); element != buffer_.end(); element += size) {
      std::reverse(element, element + size);
    }
  }
  return buffer_;
}

}  // namespace ltz::formats
