#include <array>
#include <catch2/catch.hpp>
#include <filesystem>

#include "eval/budget/accounting.h"
#include "formats/models/model_file.h"

// Parameters and Mult-Adds of the tiny language models against figures that were counted beside the
// reference implementation.
namespace ltz {
namespace {

struct Counts {
  const char* variant;
  std::int64_t parameters;
  std::int64_t layers;                // of which, with the final norm
  eval::MultAdds at_30;               // tokens
  std::array<std::int64_t, 3> total;  // at 30, 100 and 1,000 tokens
  std::array<std::int64_t, 3> paper;
};

constexpr std::array kLengths = {30, 100, 1000};

constexpr Counts kCounts[] = {
    {"dynamic-glu-finalnorm",
     54'400,
     24'880,
     {720'000, 0, 12'000, 0, 6'000},
     {732'000, 2'440'000, 24'400'000},
     {726'000, 2'420'000, 24'200'000}},
    {"lightweight-nosoftmax-nopos",
     27'796,
     9'156,
     {253'440, 57'600, 7'200, 0, 6'000},
     {318'240, 1'508'800, 72'688'000},
     {317'040, 1'504'800, 72'648'000}},
    {"lsra-adaptive-tied",
     37'320,
     29'688,
     {849'600, 129'600, 18'000, 69'120, 8'640},
     {997'200, 4'332'000, 172'920'000},
     {1'056'960, 4'531'200, 174'912'000}},
    {"lsra-adaptive-tied-averaged",
     37'320,
     29'688,
     {849'600, 129'600, 18'000, 69'120, 8'640},
     {997'200, 4'332'000, 172'920'000},
     {1'056'960, 4'531'200, 174'912'000}},
    {"lsra-adaptive-tied-legacy",
     37'320,
     29'688,
     {849'600, 129'600, 18'000, 69'120, 8'640},
     {997'200, 4'332'000, 172'920'000},
     {1'056'960, 4'531'200, 174'912'000}},
    {"lsra-adaptive-tied-narrow",
     38'684,
     29'004,
     {829'440, 86'400, 14'400, 46'080, 8'640},
     {930'240, 3'772'800, 124'128'000},
     {970'560, 3'907'200, 125'472'000}},
    {"lsra-adaptive-untied",
     33'603,
     21'227,
     {599'040, 86'400, 18'000, 43'200, 8'400},
     {703'440, 3'016'800, 116'568'000},
     {737'040, 3'128'800, 117'688'000}},
    {"lsra-shared",
     56'544,
     41'952,
     {1'212'480, 129'600, 18'000, 0, 10'080},
     {1'360'080, 5'541'600, 185'016'000},
     {1'352'160, 5'515'200, 184'752'000}},
    {"vanilla-adaptive",
     45'552,
     37'920,
     {1'105'920, 172'800, 0, 69'120, 5'760},
     {1'278'720, 5'606'400, 228'864'000},
     {1'353'600, 5'856'000, 231'360'000}},
    {"vanilla-adaptive-stock",
     45'552,
     37'920,
     {1'105'920, 172'800, 0, 69'120, 5'760},
     {1'278'720, 5'606'400, 228'864'000},
     {1'353'600, 5'856'000, 231'360'000}},
    {"vanilla-gpt",
     77'472,
     56'640,
     {1'658'880, 172'800, 0, 0, 7'200},
     {1'831'680, 7'449'600, 247'296'000},
     {1'838'880, 7'473'600, 247'536'000}},
    {"vanilla-gpt-bos",
     77'472,
     56'640,
     {1'658'880, 172'800, 0, 0, 7'200},
     {1'831'680, 7'449'600, 247'296'000},
     {1'838'880, 7'473'600, 247'536'000}},
};

}  // namespace

TEST_CASE("language models have the parameters and Mult-Adds that were counted beside them") {
  const std::filesystem::path models = std::filesystem::path(LTZ_GOLDEN_DIR) / "language-models";
  for (const Counts& expected : kCounts) {
    CAPTURE(expected.variant);
    const ModelConfig config = formats::read_model(models / expected.variant / "checkpoint.pt",
                                                   {.target_dict = models / "dict.txt"})
                                   .checkpoint.config;
    const eval::ParameterCounts counts = eval::count_parameters(config);
    CHECK(counts.total == expected.parameters);
    CHECK(counts.non_embedding == expected.layers);
    CHECK(counts.paper == expected.layers);
    CHECK(counts.tables + counts.projections == expected.parameters - expected.layers);
    const eval::MultAdds at_30 = eval::count_mult_adds(config, 0, 30);
    CHECK(at_30.linear == expected.at_30.linear);
    CHECK(at_30.attention == expected.at_30.attention);
    CHECK(at_30.convolution == expected.at_30.convolution);
    CHECK(at_30.input_projection == expected.at_30.input_projection);
    CHECK(at_30.norms == expected.at_30.norms);
    for (std::size_t i = 0; i < kLengths.size(); ++i) {
      const eval::MultAdds found = eval::count_mult_adds(config, 0, kLengths[i]);
      CHECK(found.total() == expected.total[i]);
      CHECK(found.paper() == expected.paper[i]);
    }
  }
}

}  // namespace ltz
