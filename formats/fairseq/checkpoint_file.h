#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "formats/torch/tensor.h"

namespace ltz::formats {

// What a fairseq checkpoint says about a model: its hyper-parameters and its state_dict.
struct TorchCheckpoint {
  nlohmann::json args;
  std::map<std::string, TorchTensor> tensors;
};

// By content: a zip archive, a stream of torch < 1.6, or a tar archive (of torch < 0.2; so that
// reading it says why it is refused).
bool is_torch_checkpoint(std::span<const std::byte> bytes);

// Reads what torch.save wrote, zip archive or stream. Only the storages that the tensors of the
// `model` dict use are looked at: of a MappedFile, optimizer state costs no memory. Everything is
// checked against the bytes present before it is allocated. Throws FormatError that starts with
// `name`, the file.
TorchCheckpoint read_torch_checkpoint(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ltz::formats
