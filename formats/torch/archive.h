#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/torch/pickle.h"
#include "formats/torch/tensor.h"

namespace ltz::formats {

// The two containers of torch.save: an object, and the bytes of the storages that it refers to by
// key. Both keep a view of the file's bytes.

// torch >= 1.6: a zip archive with PREFIX/data.pkl and PREFIX/data/KEY, stored, or deflated by
// another tool. The checksums of what is read are checked.
class TorchZip {
 public:
  explicit TorchZip(std::span<const std::byte> bytes);

  const Pickle& object() const { return object_; }
  // Little-endian, valid until the next call.
  std::span<const std::byte> storage(const StorageReference& reference);
  // Bytes that all storages together may have.
  std::uint64_t content_limit() const;

 private:
  struct Close {
    void operator()(void* archive) const;
  };
  struct Entry {
    std::uint64_t index;
    std::uint64_t size;
    std::uint64_t packed_size;
    std::uint16_t method;
  };

  void index_entries();
  void find_prefix();
  void find_byte_order();
  const Entry& entry(const std::string& name) const;
  void account_for(const std::string& entry_name, const Entry& entry);
  void read_entry(const std::string& entry_name);

  std::uint64_t file_size_;
  bool has_deflated_ = false;
  bool big_endian_ = false;
  std::unique_ptr<void, Close> archive_;  // zip_t
  std::unordered_map<std::string, Entry> entries_;
  std::string prefix_;
  std::uint64_t packed_read_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::vector<std::byte> buffer_;
  Pickle object_;
};

// torch < 1.6: five pickles (magic number, protocol version, properties of the system, the object,
// the keys of the storages), then for each key a 64-bit count and the elements.
class TorchStream {
 public:
  explicit TorchStream(std::span<const std::byte> bytes);

  // Whether the bytes start with the pickled magic number.
  static bool recognizes(std::span<const std::byte> bytes);

  const Pickle& object() const { return object_; }
  std::span<const std::byte> storage(const StorageReference& reference) const;
  // Bytes that all storages together may have.
  std::uint64_t content_limit() const { return file_size_; }

 private:
  Pickle next_pickle(std::string_view what);
  void index_storages(const std::vector<std::string>& keys);

  std::uint64_t file_size_;
  std::span<const std::byte> rest_;
  Pickle object_;
  std::unordered_map<std::string, std::span<const std::byte>> storages_;
};

}  // namespace ltz::formats
