#include "formats/files/file.h"
#include "formats/runtime/model.h"

ltz_model* ltz_open_file(const char* path, ltz_error* error) {
  using namespace ltz::runtime;
  return guarded(error, [&] {
    require(path, "path");
    return decode_model(ltz::formats::read_file(path), path);
  });
}
