#include "eval/budget/device.h"

#include <catch2/catch.hpp>
#include <map>

#include "eval/budget/accounting.h"
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

TEST_CASE("a loaded language model has what input and output share twice, and no encoder") {
  ModelConfig config = formats::preset_model("lite-transformer-wiki103").value();
  config.token_positional_embeddings = false;
  const std::int64_t once = fp32_bytes(count_parameters(config).total);
  const std::int64_t tables = 20'000 * 896 + 40'000 * 224 + 207'744 * 56;
  const std::int64_t projections = 896 * (224 + 56);  // the first band's is the input's alone
  CHECK(loaded_bytes(config) == once + fp32_bytes(tables + projections));
  config.tie_adaptive_proj = false;
  CHECK(loaded_bytes(config) == fp32_bytes(count_parameters(config).total + tables));
  config.tie_adaptive_weights = false;
  CHECK(loaded_bytes(config) == fp32_bytes(count_parameters(config).total));
}

TEST_CASE("an unknown device is refused with the known ones") {
  CHECK_THROWS_AS(find_device("abacus"), ConfigError);
}

}  // namespace ltz::eval
