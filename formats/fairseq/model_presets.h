#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/config.h"

namespace ltz::formats {

// The models of the paper (Wu et al. 2020, Tables 1, 2, 4 and 5) by name, with its vocabularies:
// "transformer-base" (Vaswani et al. 2017, of WMT En-Fr), "lite-transformer-iwslt-160", -240 and
// -320 (IWSLT'14 De-En), "lite-transformer-wmt-200", -408 and -496 (WMT'14 En-Fr); the language
// models of WikiText-103 "adaptive-inputs-wiki103" (Baevski & Auli 2019) and
// "lite-transformer-wiki103". Nothing for another name.
std::optional<ModelConfig> preset_model(std::string_view name);

// All those names.
std::vector<std::string> preset_model_names();

}  // namespace ltz::formats
