#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ltz::formats {

// The container: header, table, contents. LTZ.md, "Header" and "Section table".

inline constexpr std::uint16_t kLtzMajor = 1;
// Of a file with a language model; any other is what the first version writes.
inline constexpr std::uint16_t kLtzMinor = 1;

inline constexpr std::string_view kConfigSection = "CONF";
inline constexpr std::string_view kSourceSection = "VSRC";
inline constexpr std::string_view kTargetSection = "VTGT";
inline constexpr std::string_view kLanguageSection = "VLNG";  // instead of both
inline constexpr std::string_view kMergesSection = "BPEM";
inline constexpr std::string_view kPiecesSection = "SPMD";
inline constexpr std::string_view kIndexSection = "INDX";
inline constexpr std::string_view kEmbeddingSection = "EMBD";
inline constexpr std::string_view kDataSection = "DATA";
inline constexpr std::string_view kMadeSection = "made";  // a reader need not know it

struct Section {
  std::string tag;  // four letters
  std::vector<std::byte> content;
};

// sections: in the order of the constants above. The minor version is the least that has them all.
std::vector<std::byte> write_sections(const std::vector<Section>& sections);

struct SectionView {
  std::string tag;
  std::uint32_t crc = 0;
  std::span<const std::byte> content;
};

// The sections of a file after every check that header and table allow; their contents are not
// compared with their CRCs. Views into `bytes`. Throws FormatError.
std::vector<SectionView> read_sections(std::span<const std::byte> bytes);

// Throws FormatError when the content is not what was written.
void check_crc(const SectionView& section);

// The section of that name or nullptr.
const SectionView* find_section(std::span<const SectionView> sections, std::string_view tag);

}  // namespace ltz::formats
