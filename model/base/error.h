#pragma once

#include <stdexcept>

namespace ltz {

// Everything that ltz throws on purpose. `main` turns it into one line and exit code 3; the message
// names the file, the tensor, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The bytes of a file are not what its format says.
class FormatError : public Error {
 public:
  using Error::Error;
};

// A well-formed input that ltz cannot work with: unknown architecture, tensors that do not fit the
// configuration, a dictionary that does not fit the embedding, texts of different lengths.
class ConfigError : public Error {
 public:
  using Error::Error;
};

// The operating system refused: missing file, full disk, no permission.
class IoError : public Error {
 public:
  using Error::Error;
};

}  // namespace ltz
