#include "eval/budget/device.h"

#include <catch2/catch.hpp>
#include <map>

#include "formats/fairseq/model_presets.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

std::map<std::string, DeviceLimit> limits_of(const std::string& preset) {
  std::map<std::string, DeviceLimit> limits;
  for (const DeviceLimit& limit :
       device_limits(formats::preset_model(preset).value(), find_device("cortex-a72"))) {
    limits.emplace(limit.name, limit);
  }
  return limits;
}

}  // namespace

TEST_CASE("the paper's mobile limits hold for the models that it calls mobile, and no others") {
  // Figure 3 and section 6.1: under 500M Mult-Adds and 10M parameters.
  for (const char* small :
       {"lite-transformer-iwslt-160", "lite-transformer-iwslt-320", "lite-transformer-wmt-200"}) {
    for (const auto& [name, limit] : limits_of(small)) {
      CAPTURE(small, name);
      CHECK(limit.holds());
    }
  }
  const auto large = limits_of("lite-transformer-wmt-496");  // 527M, 17.3M
  CHECK(!large.at("mult_adds").holds());
  CHECK(!large.at("parameters").holds());
  CHECK(!large.at("sentences_per_second").holds());
  const auto wide = limits_of("lite-transformer-wmt-408");  // 360M, 11.7M
  CHECK(wide.at("mult_adds").holds());
  CHECK(!wide.at("parameters").holds());
}

TEST_CASE("50 sentences a second are 480M Mult-Adds at the peak of 48 GFLOP/s") {
  const auto limits = limits_of("lite-transformer-wmt-496");
  const double products = limits.at("mult_adds").value;
  CHECK(limits.at("sentences_per_second").value == Approx(50.0 * 480e6 / products));
  CHECK(limits.at("sentences_per_second").limit == 50.0);
}

TEST_CASE("an unknown device is refused with the known ones") {
  CHECK_THROWS_AS(find_device("abacus"), ConfigError);
}

}  // namespace ltz::eval
