#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace ltz::test {

using Bytes = std::vector<std::byte>;

// A file with one thing wrong with it.
struct Malformed {
  std::string name;               // what is wrong
  Bytes bytes;                    // of the whole file
  std::vector<std::string> says;  // parts of the message: the place and the cause
  std::size_t library_bytes = 0;  // what a library allocates for it, whatever ltz does
};

// Reads a file from memory; the second argument is the name for messages.
using Reader = std::function<void(std::span<const std::byte>, const std::string&)>;
void read_h5_file(std::span<const std::byte> bytes, const std::string& name);
void read_ltz_file(std::span<const std::byte> bytes, const std::string& name);
void read_pt_file(std::span<const std::byte> bytes, const std::string& name);  // as torch has it

// What reading takes whatever the file's length: the tables of the rANS decoder and of libzip, the
// settings that args may unfold to, the structures of a small file that is fine up to its last
// byte. A length or a count that is believed before it is checked asks for far more.
inline constexpr std::size_t kFixedMemory = std::size_t{1} << 19;

// Checks that every file is refused with a FormatError or a ConfigError whose text begins with the
// file's name and contains what the case says, and that this took no more memory than the file is
// long and fixed_memory on top.
void check_refused(const std::vector<Malformed>& files, const Reader& read,
                   std::size_t fixed_memory = kFixedMemory);

// The highest use of memory of a refusal, beyond the file's length. "accepted" when it was none.
struct Refusal {
  std::string message;
  std::int64_t peak = 0;
};
Refusal refusal(std::span<const std::byte> bytes, const Reader& read);

}  // namespace ltz::test
