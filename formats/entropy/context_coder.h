#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ltz::formats {

// Codes of a matrix, coded with probabilities that are learned while coding. The context of a code
// is how large the codes around it are: the mean magnitude of its row so far and of its column so
// far. Rows differ where they are words of an embedding; columns differ where the rounding weighted
// them by what the layer's inputs do. Magnitude and sign count from the symbol that stands for zero
// (binarization after DeepCABAC, Wiedemann et al. 2020: significance, unary, Exp-Golomb). LTZ.md,
// "Context stream".

// What the codes are codes of.
struct CodeLayout {
  std::size_t columns = 1;  // codes in a row; at least 1, the number of codes is a multiple of it
  int alphabet = 1;         // 1 to 256
  int zero = 0;             // the symbol of magnitude zero, below alphabet
};

// codes: (rows, columns), row-major. No codes, or an alphabet of one symbol, become no bytes.
// Throws FormatError for a code outside of the alphabet.
std::vector<std::byte> context_encode(std::span<const std::uint8_t> codes,
                                      const CodeLayout& layout);

// The `count` codes of such a stream, each below alphabet. Allocates `count` bytes, so the caller
// bounds it. Throws FormatError for bytes that context_encode did not write.
std::vector<std::uint8_t> context_decode(std::span<const std::byte> bytes, std::size_t count,
                                         const CodeLayout& layout);

}  // namespace ltz::formats
