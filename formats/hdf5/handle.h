#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

namespace ltz::formats {

// Held by who calls the library, and by who forks a process that will: it must not find it in the
// midst of what another thread does.
std::mutex& hdf5_library();

// While it lives, the HDF5 library does not print its errors; they become exceptions.
class Hdf5ErrorsAreOurs {
 public:
  Hdf5ErrorsAreOurs();
  ~Hdf5ErrorsAreOurs();
  Hdf5ErrorsAreOurs(const Hdf5ErrorsAreOurs&) = delete;
  Hdf5ErrorsAreOurs& operator=(const Hdf5ErrorsAreOurs&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// What the library's last call complained about, innermost cause.
std::string hdf5_reason();

// Throws FormatError, "<what>: HDF5: <reason>", for a negative answer of the library.
template <typename Answer>
Answer checked(Answer answer, const std::string& what);

// Owns an identifier of the library. The C++ classes of HDF5 would print what goes wrong on
// closing; close() throws it.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle(hid_t id, Close close, const std::string& what);
  ~Hdf5Handle();
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  hid_t id() const { return id_; }
  void close(const std::string& what);

 private:
  hid_t id_;
  Close close_;
};

[[noreturn]] void throw_hdf5_error(const std::string& what);

template <typename Answer>
Answer checked(Answer answer, const std::string& what) {
  if (answer < 0) {
    throw_hdf5_error(what);
  }
  return answer;
}

// IEEE binary16, little-endian; HDF5 has none of its own.
Hdf5Handle hdf5_float16();

}  // namespace ltz::formats
