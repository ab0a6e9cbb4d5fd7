#include "cli/pipeline/version.h"

namespace ltz::pipeline {

std::string version() {
  return LTZ_VERSION;
}

formats::Provenance made_by(const std::string& command) {
  return {{"ltz", version()}, {"command", command}};
}

}  // namespace ltz::pipeline
