#pragma once

#include <string>
#include <string_view>
#include <vector>

// What metrics do to a line before they compare words. UTF-8 in and out; bytes that are no UTF-8
// stay as they are.
namespace ltz::eval {

// Splits hyphenated compounds: "rich-text format" -> "rich ##AT##-##AT## text format". Papers on
// WMT'14 English-German do this to both sides before multi-bleu (tensor2tensor's and fairseq's
// get_ende_bleu.sh). It is the script's `s{(\S)-(\S)}{$1 ##AT##-##AT## $2}g`, with its oddity: a
// match consumes the character after the hyphen, so that of "a-b-c" only the first is split.
std::string split_compounds(std::string_view line);

// Lower case of Unicode, as Python's str.lower: U+0130 becomes two characters, and a capital sigma
// at the end of a word becomes U+03C2.
std::string lower_case(std::string_view line);

// Lower case of A to Z alone.
std::string lower_ascii(std::string line);

// Tokenization of NIST's mteval-v13a, as sacreBLEU's "13a" has it: punctuation except apostrophe
// and hyphen stands alone, full stop and comma unless between digits, hyphen after a digit.
// The result is the line with spaces put in; see split_at_unicode_space.
std::string tokenize_13a(std::string_view line);

// Words between white space of Unicode, as Python's str.split; no-break spaces count.
std::vector<std::string_view> split_at_unicode_space(std::string_view line);

// The characters of a text; a byte that is no UTF-8 is one of its own.
std::vector<std::string_view> split_characters(std::string_view text);

}  // namespace ltz::eval
