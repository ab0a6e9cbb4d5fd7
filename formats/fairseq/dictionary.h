#pragma once

#include <string>
#include <string_view>

#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz::formats {

// fairseq's dict.txt: "word count" on each line, in order of the ids, read as leniently as fairseq
// reads it: a word is all before the last space, a count whatever Python's int() takes, and
// "#fairseq:overwrite" may follow. If a word comes twice, text gets the last one's id. A byte order
// mark and blank lines at the end are skipped. Throws FormatError, naming `name` and the line, for
// anything else: an empty file, no count, text that is not UTF-8.
Vocabulary parse_dictionary(std::string_view text, const std::string& name);

// The code file of subword-nmt, version 0.2: a line "#version: 0.2", then "left right" on each
// line; or that of fastBPE: "left right count" on each line. If a merge appears twice, the first
// one counts, as in subword-nmt. A byte order mark and blank lines at the end are skipped. Throws
// FormatError, naming `name` and the line; also for version 0.1, which ends words otherwise.
// kind: "subword_nmt" or "fastbpe" where only one will do.
BpeMerges parse_bpe_codes(std::string_view text, const std::string& name,
                          std::string_view kind = "");

}  // namespace ltz::formats
