#pragma once

#include <functional>
#include <string>
#include <vector>

#include "formats/ltz/index.h"
#include "formats/ltz/sections.h"
#include "malformed.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::test {

// A good .ltz file taken apart, to be put together again with one thing wrong in it: sections get
// checksums that agree with whatever is inside.
class LtzParts {
 public:
  LtzParts();  // of tiny_quantized_checkpoint(1)
  explicit LtzParts(const Checkpoint& checkpoint);

  struct Payload {
    formats::IndexEntry entry;
    Bytes bytes;
  };
  std::vector<Payload> tensors;

  Bytes& section(const std::string& tag);
  // The same for a packed section: what is inside, unpacked.
  std::string text(const std::string& tag);
  void set_text(const std::string& tag, const std::string& text);
  // name: of a tensor that is there.
  Payload& tensor(const std::string& name);

  // INDX, EMBD and DATA as `tensors` has them.
  void pack_tensors();
  Bytes file() const { return formats::write_sections(sections); }

  std::vector<formats::Section> sections;
};

// The file after a change to its sections, or to its tensors.
Bytes ltz_with(const std::function<void(LtzParts&)>& change);
Bytes ltz_with_tensors(const std::function<void(LtzParts&)>& change);
// With other bytes from `offset` on, and the header's checksum made to agree.
Bytes ltz_with_header(std::size_t offset, const std::string& bytes);

std::string repeated(const std::string& text, std::size_t times);
// A packed block whose header says what it likes.
Bytes packed(int method, std::uint32_t size, const Bytes& content);

}  // namespace ltz::test
