#include "formats/fairseq/checkpoint_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "formats/bytes/checked.h"
#include "formats/fairseq/cfg.h"
#include "formats/torch/archive.h"
#include "formats/torch/pickle_json.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Archive = std::variant<TorchZip, TorchStream>;

// Tied matrices may share a storage, so there can be more elements than the file holds: three names
// for one float16 matrix make 1.5 elements a byte. Beyond twice the bytes it is an attack.
constexpr std::int64_t kMaxElementsPerByte = 2;

bool has_text_at(std::span<const std::byte> bytes, std::size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() &&
         std::ranges::equal(bytes.subspan(offset, text.size()), text,
                            [](std::byte a, char b) { return std::to_integer<char>(a) == b; });
}

bool is_zip(std::span<const std::byte> bytes) {
  return has_text_at(bytes, 0, "PK\3\4");
}

bool is_tar(std::span<const std::byte> bytes) {
  return has_text_at(bytes, 257, "ustar");
}

Archive open_archive(std::span<const std::byte> bytes) {
  if (is_zip(bytes)) {
    return Archive(std::in_place_type<TorchZip>, bytes);
  }
  if (TorchStream::recognizes(bytes)) {
    return Archive(std::in_place_type<TorchStream>, bytes);
  }
  if (is_tar(bytes)) {
    throw FormatError(
        "a tar archive, written by torch < 0.2; load it with torch 1.x and save it again");
  }
  throw FormatError("expected a checkpoint that torch.save wrote, found something else");
}

void require_dict(PickleValue value) {
  if (!value.is(PickleType::kDict)) {
    throw FormatError(fmt::format("expected a dict, found {}", to_string(value.type())));
  }
}

// fairseq < 0.10.3 has "args"; later ones "cfg".
nlohmann::json read_args(PickleValue root) {
  if (const auto args = root.find("args"); args && !args->is(PickleType::kNone)) {
    return in_context("args", [&] { return to_json(*args); });
  }
  const auto cfg = root.find("cfg");
  if (!cfg || cfg->is(PickleType::kNone)) {
    throw FormatError("no \"args\" and no \"cfg\" inside, so it is no fairseq checkpoint");
  }
  return in_context("cfg", [&] {
    const nlohmann::json settings = to_json(*cfg);
    if (!settings.is_object()) {
      throw FormatError(fmt::format("expected settings by name, found {}", to_string(cfg->type())));
    }
    return args_from_cfg(settings);
  });
}

using NamedTensors = std::vector<std::pair<std::string, TensorReference>>;

// content: bytes that the storages together may have.
NamedTensors parse_tensors(PickleValue model, std::uint64_t content) {
  NamedTensors tensors;
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const auto [key, value] = model.entry(i);
    const std::string name =
        in_context(fmt::format("model: name of tensor {}", i),
                   [&, &tensor_key = key] { return std::string(tensor_key.as_string()); });
    in_context("tensor " + name, [&, &tensor_value = value] {
      tensors.emplace_back(name, parse_tensor(tensor_value));
      elements = checked_add(elements, element_count(tensors.back().second.shape));
      if (static_cast<std::uint64_t>(elements / kMaxElementsPerByte) > content) {
        throw FormatError(
            fmt::format("more than {} elements in a file of {} bytes", elements - 1, content));
      }
    });
  }
  return tensors;
}

// One storage at a time, whatever the number of tensors that look at it.
template <typename AnyArchive>
std::map<std::string, TorchTensor> read_tensors(AnyArchive& archive, NamedTensors tensors) {
  std::ranges::stable_sort(tensors, {}, [](const auto& t) { return t.second.storage.key; });
  std::map<std::string, TorchTensor> out;
  std::span<const std::byte> bytes;
  const StorageReference* loaded = nullptr;
  for (const auto& [name, tensor] : tensors) {
    in_context("tensor " + name, [&, &reference = tensor, &tensor_name = name] {
      if (loaded == nullptr || loaded->key != reference.storage.key) {
        bytes = archive.storage(reference.storage);
        loaded = &reference.storage;
      } else if (loaded->byte_count() != reference.storage.byte_count()) {
        throw FormatError(fmt::format("storage {} has two sizes", loaded->key));
      }
      if (!out.emplace(tensor_name, decode_tensor(reference, bytes)).second) {
        throw FormatError("is there twice");
      }
    });
  }
  return out;
}

}  // namespace

bool is_torch_checkpoint(std::span<const std::byte> bytes) {
  return is_zip(bytes) || TorchStream::recognizes(bytes) || is_tar(bytes);
}

TorchCheckpoint read_torch_checkpoint(std::span<const std::byte> bytes, const std::string& name) {
  return in_context(name, [&] {
    Archive archive = open_archive(bytes);
    return std::visit(
        [&](auto& opened) {
          const PickleValue root = opened.object().root();
          in_context("pickled object", [&] { require_dict(root); });
          const auto model = root.find("model");
          if (!model) {
            throw FormatError("no \"model\" inside, so it is no fairseq checkpoint");
          }
          in_context("model", [&] { require_dict(*model); });
          TorchCheckpoint checkpoint;
          checkpoint.args = read_args(root);
          checkpoint.tensors = read_tensors(opened, parse_tensors(*model, opened.content_limit()));
          return checkpoint;
        },
        archive);
  });
}

}  // namespace ltz::formats
