#include "formats/runtime/model.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>

#include "formats/ltz/ltz.h"

namespace ltz::runtime {
namespace {

ltz_status report(ltz_error* error, ltz_status status, const char* text) noexcept {
  if (error != nullptr) {
    error->status = status;
    std::snprintf(error->text, sizeof(error->text), "%s", text);
  }
  return status;
}

}  // namespace

void require(const void* argument, const char* name) {
  if (argument == nullptr) {
    throw ArgumentError(std::string(name) + " is null");
  }
}

std::unique_ptr<ltz_model> decode_model(std::span<const std::byte> bytes, const std::string& name) {
  return std::make_unique<ltz_model>(formats::decode_ltz(bytes, name));
}

ltz_options checked_options(const ltz_options* given) {
  const ltz_options options = given == nullptr ? ltz_default_options() : *given;
  if (options.n_best < 1 || options.n_best > options.beam) {
    throw ArgumentError("n_best: expected 1 to " + std::to_string(options.beam) +
                        " (beam), found " + std::to_string(options.n_best));
  }
  return options;
}

BeamOptions beam_options(const ltz_options& options) {
  return {.beam = options.beam,
          .lenpen = options.lenpen,
          .max_len_a = options.max_len_a,
          .max_len_b = options.max_len_b,
          .min_len = options.min_len,
          .no_repeat_ngram_size = options.no_repeat_ngram_size};
}

std::unique_ptr<ltz_translations> n_best(const TextCodec& codec,
                                         std::span<const Hypothesis> hypotheses, int count,
                                         std::size_t first) {
  auto translations = std::make_unique<ltz_translations>();
  const auto most = static_cast<std::size_t>(count);
  for (const Hypothesis& hypothesis : hypotheses.first(std::min(hypotheses.size(), most))) {
    const auto begin = hypothesis.tokens.begin() + static_cast<std::ptrdiff_t>(first);
    const TokenIds tokens(begin, hypothesis.tokens.end() - 1);
    translations->all.push_back({.text = codec.decode_target(tokens),
                                 .score = hypothesis.score,
                                 .ids = {tokens.begin(), tokens.end()}});
  }
  return translations;
}

void report_success(ltz_error* error) noexcept {
  report(error, LTZ_OK, "");
}

ltz_status report_exception(ltz_error* error) noexcept {
  try {
    throw;
  } catch (const ArgumentError& e) {
    return report(error, LTZ_INVALID_ARGUMENT, e.what());
  } catch (const IoError& e) {
    return report(error, LTZ_UNREADABLE_FILE, e.what());
  } catch (const Error& e) {
    return report(error, LTZ_INVALID_MODEL, e.what());
  } catch (const std::bad_alloc&) {
    return report(error, LTZ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    return report(error, LTZ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return report(error, LTZ_INTERNAL_ERROR, e.what());
  } catch (...) {
    return report(error, LTZ_INTERNAL_ERROR, "unknown error");
  }
}

}  // namespace ltz::runtime
