#include "eval/quality/cached_reading.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>

#include "compress/sensitivity/pattern.h"
#include "compress/sensitivity/sensitivity.h"
#include "eval/quality/divergence.h"
#include "model/base/error.h"
#include "model/decoding/translator.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using eval::CachedReading;

namespace {

// Of different lengths, one with nothing but its end.
constexpr auto kLengths = {4, 0, 9, 2};

// Twice as large.
std::vector<float> changed(const Tensor& tensor) {
  std::vector<float> values = tensor.values();
  std::ranges::transform(values, values.begin(), [](float value) { return 2.0f * value; });
  return values;
}

}  // namespace

TEST_CASE("whatever is replaced, features are those of reading from the start, to the last bit") {
  for (unsigned seed = 0; seed < 24; ++seed) {
    CAPTURE(seed);
    const ModelConfig config = seed < 12 ? random_architecture(seed) : random_language_model(seed);
    const Checkpoint checkpoint = random_checkpoint(config, seed);
    Transformer model(checkpoint);
    const auto [sources, targets] = some_text(kLengths, config);
    CachedReading reading(model, sources, targets);
    std::vector<ParameterSpec> specs = parameter_specs(config);
    for (const bool forward : {true, false}) {
      CAPTURE(forward);
      for (const ParameterSpec& spec : specs) {
        CAPTURE(spec.name);
        const Tensor& original = checkpoint.tensors.at(spec.name);
        reading.keep_what_precedes({spec.name});
        model.replace(spec.name, changed(original));
        CHECK(score(reading).nats ==
              score_text(model, sources, targets, batch_by_length(targets)).nats);
        model.replace(spec.name, original.values());
      }
      std::ranges::reverse(specs);
    }
  }
}

TEST_CASE("only what comes after the first replaced parameter is computed again") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  Transformer model(checkpoint);
  const EncodedText text = tiny_text();
  CachedReading reading(model, text.source, text.target);
  std::set<std::string> used;
  std::mutex mutex;
  const auto used_after = [&](const std::vector<std::string>& replaced) {
    model.observe_inputs({});
    reading.keep_what_precedes(replaced);
    model.observe_inputs([&](const std::string& matrix, MatrixView) {
      const std::scoped_lock lock(mutex);
      used.insert(matrix);
    });
    used.clear();
    reading.features(0);
    return used;
  };
  using Names = std::set<std::string>;
  const Names feed_forward{"decoder.layers.0.fc1.weight", "decoder.layers.0.fc2.weight"};
  CHECK(used_after({"decoder.layers.0.fc2.bias"}) == feed_forward);
  CHECK(used_after({"decoder.embed_out"}).size() > feed_forward.size());  // this model has none
  // Keys and values of the source are known as long as it and their matrices stay the same.
  const std::string cross = "decoder.layers.0.encoder_attn.";
  Names after_keys = feed_forward;
  after_keys.insert({cross + "q_proj.weight", cross + "out_proj.weight"});
  const std::vector<std::string> fc1_and_queries{"decoder.layers.0.fc1.weight",
                                                 cross + "q_proj.weight"};
  CHECK(used_after(fc1_and_queries) == after_keys);
  Names with_keys = after_keys;
  with_keys.insert({cross + "k_proj.weight", cross + "v_proj.weight"});
  CHECK(used_after({cross + "v_proj.bias"}) == with_keys);
  CHECK(used_after(fc1_and_queries) == after_keys);
  // Embeddings come before everything.
  std::size_t matrices = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    matrices += spec.role == Role::kMatrix ? 1 : 0;
  }
  CHECK(used_after({"encoder.embed_tokens.weight"}).size() == matrices);
  CHECK(used_after({"decoder.layers.0.fc2.weight", "encoder.embed_tokens.weight"}).size() ==
        matrices);
  CHECK(used_after({"decoder.layers.0.fc2.weight"}) == feed_forward);
}

TEST_CASE("sensitivity with kept prefixes is that of the plain way, to the last bit") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  const EncodedText text = long_text();
  Transformer model(checkpoint);
  CachedReading reading(model, text.source, text.target);
  const eval::Divergence divergence(reading);
  CHECK(divergence.of(reading) == 0.0);
  const auto qualities = [&](bool cached) {
    const compress::Quality quality = [&](const compress::Replacements& replacements) {
      if (cached) {
        reading.keep_what_precedes(compress::names_of(replacements));
      }
      return compress::measure_replaced(model, checkpoint, replacements, [&] {
        if (cached) {
          return score(reading).mean() + divergence.of(reading);
        }
        return score_text(model, text.source, text.target, batch_by_length(text.target)).mean() +
               divergence.of({model, text.source, text.target});
      });
    };
    std::vector<double> found;
    const auto specs = parameter_specs(checkpoint.config);
    for (const auto& groups :
         {compress::sensitivity_groups(specs), compress::single_tensors(specs)}) {
      for (const compress::SensitivityPoint& point :
           compress::analyse(checkpoint, {.sparsities = {0.5}, .bits = {2}, .groups = groups},
                             {.metric = "nll", .baseline = 0.0, .quality = quality})
               .points) {
        found.push_back(point.quality);
      }
    }
    return found;
  };
  CHECK(qualities(true) == qualities(false));
}

TEST_CASE("a reading needs as many targets as sources") {
  const Transformer model(tiny_checkpoint(1));
  const std::vector<TokenIds> one{{Vocabulary::kEos}};
  CHECK_THROWS_WITH(CachedReading(model, one, {}), Catch::Contains("0 and 1"));
}
