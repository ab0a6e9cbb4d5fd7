#pragma once

namespace ltz::formats {

// Keys of the metadata; SAFETENSORS.md, "Metadata".
namespace safetensors_keys {
inline constexpr const char* kVersion = "ltz.version";
inline constexpr const char* kConfig = "ltz.config";
inline constexpr const char* kSource = "ltz.source_vocabulary";
inline constexpr const char* kTarget = "ltz.target_vocabulary";
inline constexpr const char* kMerges = "ltz.merges";
inline constexpr const char* kSentencePiece = "ltz.sentencepiece";
}  // namespace safetensors_keys

inline constexpr const char* kSafetensorsVersion = "1";
inline constexpr const char* kSafetensorsVersionWithPieces = "2";  // a SentencePiece model, too
inline constexpr const char* kSafetensorsLanguageVersion = "3";    // a language model

}  // namespace ltz::formats
