#pragma once

#include <nlohmann/json.hpp>

#include "formats/torch/pickle.h"

namespace ltz::formats {

// The data of a pickled value as JSON. Tuples and sets become arrays, an argparse.Namespace (any
// object whose state is a dict) the object of its attributes, a container or node of OmegaConf what
// is in it, other globals and objects {"__symbol__": "module.name"}, bytes and integers beyond 64
// bits null. Throws FormatError for what is nested more than 32 deep (a cycle), or unfolds to more
// than half a megabyte.
nlohmann::json to_json(PickleValue value);

}  // namespace ltz::formats
