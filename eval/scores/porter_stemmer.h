#pragma once

#include <string>
#include <string_view>

namespace ltz::eval {

// The stem of a word of a-z and 0-9, at least three letters long, as ROUGE-1.5.5 with -m finds it:
// Porter's algorithm (1980, "An algorithm for suffix stripping") with his later departures, "bli"
// and "logi" in step 2, and with those of ROUGE in step 4: there, "ment", "ent" and "ion" are tried
// on what is left after the other suffixes, so that "conditioner" loses two. Irregular forms, which
// ROUGE looks up in lists of WordNet 2.0, are stemmed as all others.
std::string porter_stem(std::string_view word);

}  // namespace ltz::eval
