#include "tests/support/pickle_builder.h"

#include <zip.h>

#include <unistd.h>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include "formats/files/file.h"

namespace ltz::test {

using namespace std::string_literals;

namespace {

std::string pickled_sizes(const std::vector<std::int64_t>& sizes) {
  std::string out = "(";
  for (const std::int64_t size : sizes) {
    out += pickled(size);
  }
  return out + "t";
}

}  // namespace

std::vector<std::byte> to_bytes(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

std::string unsigned_bytes(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xff);
  }
  return out;
}

std::string pickled(std::string_view text) {
  std::string out = "X"s.append(unsigned_bytes(text.size(), 4));
  out += text;
  return out;
}

std::string pickled(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  if (number >= std::numeric_limits<std::int32_t>::min() &&
      number <= std::numeric_limits<std::int32_t>::max()) {
    return "J"s.append(unsigned_bytes(bits, 4));
  }
  return "\x8a\x08"s.append(unsigned_bytes(bits, 8));
}

std::string pickled_tuple(std::initializer_list<std::string> items) {
  std::string out = "(";
  for (const std::string& item : items) {
    out += item;
  }
  return out + "t";
}

std::string pickled_dict(std::initializer_list<std::pair<std::string_view, std::string>> entries) {
  std::string out = "}(";
  for (const auto& [key, value] : entries) {
    out += pickled(key) + value;
  }
  return out + "u";
}

std::string pickled_global(std::string_view module, std::string_view name) {
  return "c"s + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string pickle_of(std::string_view value) {
  return "\x80\x02"s + std::string(value) + ".";
}

std::string pickled_tensor(const PickledTensor& tensor) {
  const std::string id = "("s + pickled("storage") + pickled_global("torch", tensor.storage_class) +
                         pickled(tensor.key) + pickled("cpu") + pickled(tensor.count) +
                         (tensor.stream ? tensor.view : "") + "tQ";
  const std::string hooks = pickled_global("collections", "OrderedDict") + ")R";
  return pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + id + pickled(tensor.offset) +
         pickled_sizes(tensor.shape) + pickled_sizes(tensor.strides) + "\x89" + hooks + "tR";
}

std::string fairseq_pickle(const std::string& args, const std::string& model) {
  const std::string space = pickled_global("argparse", "Namespace") + ")\x81}(" + args + "ub";
  const std::string state = pickled_global("collections", "OrderedDict") + ")R(" + model + "u";
  return pickle_of("}("s + pickled("args") + space + pickled("model") + state + "u");
}

std::vector<std::byte> zip_of(const std::vector<ZipEntry>& entries) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("ltz-test-"s + std::to_string(::getpid()) + ".zip");
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const ZipEntry& entry : entries) {
    zip_source_t* source =
        zip_source_buffer(archive, entry.content.data(), entry.content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                             entry.deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (archive == nullptr || zip_close(archive) != 0) {
    throw std::runtime_error("cannot write " + path.string());
  }
  std::vector<std::byte> bytes = formats::read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

std::vector<std::byte> stream_of(const std::string& object,
                                 const std::vector<StreamStorage>& storages) {
  std::string keys = "](";
  std::string contents;
  for (const StreamStorage& storage : storages) {
    keys += pickled(storage.key);
    contents += unsigned_bytes(static_cast<std::uint64_t>(storage.count), 8) + storage.content;
  }
  const std::string magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  return to_bytes(pickle_of(magic) + pickle_of(pickled(1001)) +
                  pickle_of(pickled_dict({{"little_endian", "\x88"}})) + object +
                  pickle_of(keys + "e") + contents);
}

}  // namespace ltz::test
