#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/fairseq/vocabulary_files.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// The configuration that the paper's fairseq 0.8 would build a model from: `args` with the defaults
// of its architecture, transformer_multibranch_v2*, transformer* or lightconv*. The vocabulary
// sizes are not in args and stay 0. Throws ConfigError, naming the setting, for an architecture
// that is not known, a value of the wrong kind, and what ltz cannot compute (adaptive softmax, …).
ModelConfig config_from_args(const nlohmann::json& args);

// Takes the weights out of a checkpoint: names of old versions are upgraded, packed attention
// projections are split, convolution kernels get one shape, what is not a weight is dropped, tied
// matrices are kept once. Throws FormatError or ConfigError that starts with `name`, the file,
// unless all tensors are there and fit; FormatError when matrices that are one for the
// configuration differ. A dictionary that lacks less than 8 entries to a number of rows divisible
// by 8 gets the ones that fairseq pads with.
Checkpoint checkpoint_from_torch(TorchCheckpoint torch, Vocabulary source, Vocabulary target,
                                 BpeMerges merges, const std::string& name);

// A weight in the precision that it was stored in; float64 becomes float32. Throws ConfigError,
// naming the tensor, for integers.
Tensor tensor_from_torch(const std::string& name, TorchTensor tensor);

// The same with the dictionaries that `vocabulary` names or, without, those of the folder that
// `path`, the checkpoint, is in.
Checkpoint checkpoint_with_dictionaries(TorchCheckpoint torch, const std::filesystem::path& path,
                                        const VocabularyFiles& vocabulary);

// bytes: of the checkpoint; path: its name, for the folder and for errors.
Checkpoint read_fairseq_checkpoint(std::span<const std::byte> bytes,
                                   const std::filesystem::path& path,
                                   const VocabularyFiles& vocabulary);
Checkpoint read_fairseq_checkpoint(const std::filesystem::path& path,
                                   const VocabularyFiles& vocabulary);

}  // namespace ltz::formats
