#pragma once

#include <initializer_list>

#include "formats/fairseq/settings.h"
#include "model/checkpoint/config.h"

// What the settings of translation and of language models have in common. Everything throws
// ConfigError that names the setting.
namespace ltz::formats {

// activation_fn
Activation parse_activation(const FairseqSettings& settings);

// Throws for one of these that is neither None, False, empty nor zero.
void refuse_switched_on(const FairseqSettings& settings, std::initializer_list<const char*> names);

// What changes the computation or the parameters of any model, here or in a later fairseq, in a way
// that ltz does not know. Everything else that is not read (dropout, …) only matters in training.
void refuse_unsupported(const FairseqSettings& settings);

// The configuration of a language model: architectures transformer_lm_multibranch_v2* of the
// paper's code and transformer_lm* of fairseq's own.
bool is_language_model_arch(const std::string& arch);
ModelConfig language_model_from_args(const FairseqSettings& settings);

}  // namespace ltz::formats
