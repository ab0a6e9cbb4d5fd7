#include "language_model_files.h"

#include "formats/bytes/bytes.h"
#include "formats/safetensors/checkpoint.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::test {

using namespace formats;
using nlohmann::json;

Checkpoint small_language_model() {
  return tiny_quantized_language_model(1);
}

Bytes language_ltz_with(const std::function<void(LtzParts&)>& change) {
  LtzParts parts(small_language_model());
  change(parts);
  return parts.file();
}

Bytes language_safetensors_with(const std::function<void(json&)>& change) {
  const Bytes bytes = encode_safetensors(small_language_model());
  ByteReader reader(bytes, "good file");
  json header = json::parse(reader.text(reader.integer<std::uint64_t>()));
  change(header);
  const std::string text = header.dump();
  Bytes changed = to_bytes(unsigned_bytes(text.size(), 8) + text);
  put_bytes(changed, reader.take(reader.remaining()));
  return changed;
}

void read_safetensors_file(std::span<const std::byte> bytes, const std::string& name) {
  read_safetensors(bytes, name, {});
}

}  // namespace ltz::test
