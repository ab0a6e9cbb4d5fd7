#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ltz::test {

std::vector<std::byte> to_bytes(std::string_view text);

// Little-endian, `width` bytes.
std::string unsigned_bytes(std::uint64_t value, int width);

// The opcodes of values, to be put together to hostile and harmless pickles.
std::string pickled(std::string_view text);  // BINUNICODE
std::string pickled(std::int64_t number);    // BININT or LONG1
std::string pickled_tuple(std::initializer_list<std::string> items);
std::string pickled_dict(std::initializer_list<std::pair<std::string_view, std::string>> entries);
std::string pickled_global(std::string_view module, std::string_view name);
// PROTO 2, the value, STOP.
std::string pickle_of(std::string_view value);

struct PickledTensor {
  std::string key = "0";
  std::string storage_class = "FloatStorage";
  std::int64_t count = 0;  // elements of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape = {};
  std::vector<std::int64_t> strides = {};
  bool stream = false;  // the persistent id of torch < 1.6
  std::string view = "N";
};

// The call of torch._utils._rebuild_tensor_v2.
std::string pickled_tensor(const PickledTensor& tensor);

// {"args": Namespace(**args), "model": OrderedDict(model)}; both are given as items of a dict.
std::string fairseq_pickle(const std::string& args, const std::string& model);

struct ZipEntry {
  std::string name;
  std::string content;
  bool deflated = false;
};

// A zip archive as torch >= 1.6 writes it.
std::vector<std::byte> zip_of(const std::vector<ZipEntry>& entries);

// A stream as torch < 1.6 writes it. storages: key, number of elements, bytes.
struct StreamStorage {
  std::string key;
  std::int64_t count;
  std::string content;
};
std::vector<std::byte> stream_of(const std::string& object,
                                 const std::vector<StreamStorage>& storages);

}  // namespace ltz::test
