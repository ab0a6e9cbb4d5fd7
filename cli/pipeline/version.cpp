#include "cli/pipeline/version.h"

namespace ltz::pipeline {

std::string version() {
  return LTZ_VERSION;
}

formats::Provenance made_by_ltz() {
  return {{"ltz", version()}};
}

}  // namespace ltz::pipeline
