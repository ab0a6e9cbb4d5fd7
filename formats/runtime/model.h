#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/runtime/ltz_runtime.h"
#include "model/base/error.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/text_codec.h"
#include "model/layers/transformer.h"

// What the functions of ltz_runtime.h have in common.
struct ltz_model {
  // The checkpoint's own copy of the weights is not kept.
  explicit ltz_model(const ltz::Checkpoint& checkpoint)
      : transformer(checkpoint), codec(checkpoint) {}

  ltz::Transformer transformer;
  ltz::TextCodec codec;
};

struct ltz_translations {
  struct Translation {
    std::string text;
    double score;
    std::vector<std::int32_t> ids;
  };
  std::vector<Translation> all;
};

namespace ltz::runtime {

// What the caller did wrong; the messages of ConfigError are about options and sentences as well,
// once there is a model.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

// Throws ArgumentError for null.
void require(const void* argument, const char* name);

// Throws FormatError, naming the model.
std::unique_ptr<ltz_model> decode_model(std::span<const std::byte> bytes, const std::string& name);

// given: null for the default ones. Throws ArgumentError unless n_best is 1 to beam.
ltz_options checked_options(const ltz_options* given);
BeamOptions beam_options(const ltz_options& options);
// The n best, without their first tokens and </s>. first: how many are left out.
std::unique_ptr<ltz_translations> n_best(const TextCodec& codec,
                                         std::span<const Hypothesis> hypotheses, int count,
                                         std::size_t first = 0);

// In a handler: what was thrown, for the caller, who may not want it (null).
ltz_status report_exception(ltz_error* error) noexcept;
void report_success(ltz_error* error) noexcept;

// What make() returns; what it says about the configuration is about the caller's arguments.
template <typename Make>
auto with_arguments(const Make& make) -> decltype(make()) {
  try {
    return make();
  } catch (const ConfigError& error) {
    throw ArgumentError(error.what());
  }
}

// What make() returns, or null after an exception.
template <typename Make>
auto guarded(ltz_error* error, const Make& make) noexcept -> decltype(make().release()) {
  try {
    auto made = make();
    report_success(error);
    return made.release();
  } catch (...) {
    report_exception(error);
  }
  return nullptr;
}

}  // namespace ltz::runtime
