#pragma once

#include <nlohmann/json.hpp>

#include "formats/torch/pickle.h"

namespace ltz::formats {

// The data of a pickled value as JSON: for settings, of which many are of no interest and may be
// anything. Tuples and sets become arrays, an argparse.Namespace (any object whose state is a dict)
// the object of its attributes, a container or node of OmegaConf what is in it, numbers of NumPy
// and integers beyond 64 bits numbers, other globals and objects {"__symbol__": "module.name"}.
//
// Entries whose key is neither a string nor an integer name no setting and are left out. A value
// that no setting of a model can be becomes {"__unread__": "a list of 20000 items"}: bytes, texts
// of more than 64 KiB, containers of more than 4096 items or nested deeper than the groups of a
// cfg. Throws FormatError where shared values would unfold to far more than the pickle's bytes.
nlohmann::json to_json(PickleValue value);

}  // namespace ltz::formats
