#include "formats/runtime/model.h"

#include <cstdio>
#include <new>
#include <stdexcept>

#include "formats/ltz/ltz.h"

namespace ltz::runtime {
namespace {

void report(ltz_error* error, ltz_status status, const char* text) noexcept {
  if (error != nullptr) {
    error->status = status;
    std::snprintf(error->text, sizeof(error->text), "%s", text);
  }
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

void report_success(ltz_error* error) noexcept {
  report(error, LTZ_OK, "");
}

void report_exception(ltz_error* error) noexcept {
  try {
    throw;
  } catch (const ArgumentError& e) {
    report(error, LTZ_INVALID_ARGUMENT, e.what());
  } catch (const IoError& e) {
    report(error, LTZ_UNREADABLE_FILE, e.what());
  } catch (const Error& e) {
    report(error, LTZ_INVALID_MODEL, e.what());
  } catch (const std::bad_alloc&) {
    report(error, LTZ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    report(error, LTZ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    report(error, LTZ_INTERNAL_ERROR, e.what());
  } catch (...) {
    report(error, LTZ_INTERNAL_ERROR, "unknown error");
  }
}

}  // namespace ltz::runtime
