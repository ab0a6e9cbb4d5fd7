#include "formats/hdf5/handle.h"

#include "model/base/error.h"

namespace ltz::formats {
namespace {

herr_t keep_first_reason(unsigned, const H5E_error2_t* error, void* reason) {
  auto& text = *static_cast<std::string*>(reason);
  if (text.empty() && error->desc != nullptr) {
    text = error->desc;
  }
  return 0;
}

}  // namespace

std::mutex& hdf5_library() {
  static std::mutex mutex;
  return mutex;
}

Hdf5ErrorsAreOurs::Hdf5ErrorsAreOurs() {
  // Everything is flushed and closed before the end, where the library would print about what it
  // cannot close. This has an effect only before the library's first use, wherever that is.
  H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5ErrorsAreOurs::~Hdf5ErrorsAreOurs() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first_reason, &reason);
  return reason.empty() ? "unknown error of the HDF5 library" : reason;
}

void throw_hdf5_error(const std::string& what) {
  throw FormatError(what + ": HDF5: " + hdf5_reason());
}

Hdf5Handle::Hdf5Handle(hid_t id, Close close, const std::string& what)
    : id_(checked(id, what)), close_(close) {}

Hdf5Handle::~Hdf5Handle() {
  if (id_ >= 0) {
    close_(id_);
  }
}

void Hdf5Handle::close(const std::string& what) {
  checked(close_(std::exchange(id_, H5I_INVALID_HID)), what);
}

Hdf5Handle hdf5_float16() {
  Hdf5Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "float16 type");
  // Sign, exponent and fraction from the highest bit down; the size shrinks last, when all fits.
  checked(H5Tset_fields(type.id(), 15, 10, 5, 0, 10), "float16 type");
  checked(H5Tset_precision(type.id(), 16), "float16 type");
  checked(H5Tset_ebias(type.id(), 15), "float16 type");
  checked(H5Tset_size(type.id(), 2), "float16 type");
  return type;
}

}  // namespace ltz::formats
