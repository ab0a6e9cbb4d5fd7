#include "compress/training/finetune.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "compress/training/training_batches.h"
#include "formats/records/training_file.h"
#include "model/base/error.h"
#include "tests/support/random_architecture.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/trained_example.h"

namespace ltz::compress {
namespace {

EncodedText some_text(const ModelConfig& config) {
  return {some_sentences({4, 7, 2, 9, 1, 5}, config.source_vocabulary_size, 3),
          some_sentences({5, 3, 8, 2, 6, 4}, config.target_vocabulary_size, 5)};
}

// Without a development set, so that the last state is what comes out.
FinetuneOptions some_options() {
  FinetuneOptions options{.epochs = 4.0, .batch_tokens = 14, .learning_rate = 1e-2};
  options.finetuner.objective.label_smoothing = 0.0;
  return options;
}

// The tiny model with half of one matrix pruned.
Checkpoint pruned_checkpoint() {
  Checkpoint checkpoint = tiny_checkpoint(5);
  Tensor& tensor = checkpoint.tensors.at("encoder.layers.0.fc1.weight");
  std::vector<float> values = tensor.values();
  for (std::size_t i = 0; i < values.size(); i += 2) {
    values[i] = 0.0f;
  }
  tensor = dense_tensor(tensor.shape, values);
  return checkpoint;
}

double nll(const Checkpoint& checkpoint, const EncodedText& text) {
  return negative_log_likelihood(Transformer(checkpoint), text.source, text.target).mean();
}

const std::vector<std::uint8_t>& codes_of(const Tensor& tensor) {
  return std::get<QuantizedValues>(tensor.data).codes;
}

double coded_bits(const Checkpoint& checkpoint) {
  double bits = 0.0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (tensor.quantized()) {
      bits += ltz::coded_bits(tensor);
    }
  }
  return bits;
}

// With codes that are free and move.
FinetuneOptions free_code_options() {
  FinetuneOptions options = some_options();
  options.finetuner.tensors.free_codes = true;
  options.learning_rate = 0.03;
  return options;
}

}  // namespace

TEST_CASE("an epoch has every sentence once, in batches of the wanted size") {
  const EncodedText text = some_text(tiny_checkpoint(1).config);
  const auto batches = training_batches(text, 12, 1, 0);
  std::multiset<std::size_t> seen;
  for (const auto& batch : batches) {
    std::size_t tokens = 0;
    for (const std::size_t sentence : batch) {
      tokens += text.target[sentence].size();
      seen.insert(sentence);
    }
    CHECK(tokens <= 12);
  }
  CHECK(seen == std::multiset<std::size_t>{0, 1, 2, 3, 4, 5});
  CHECK(training_batches(text, 12, 1, 0) == batches);
  CHECK(training_batches(text, 12, 1, 1) != batches);
  CHECK(training_batches(text, 12, 2, 0) != batches);
  // A sentence that is too long is a batch of its own.
  CHECK(training_batches(text, 1, 1, 0).size() == 6);
}

TEST_CASE("shards share out a batch") {
  const EncodedText text = some_text(tiny_checkpoint(1).config);
  std::multiset<std::size_t> seen;
  for (const auto& shard : shards_of(text, {0, 1, 2, 3, 5})) {
    CHECK(!shard.empty());
    seen.insert(shard.begin(), shard.end());
  }
  CHECK(seen == std::multiset<std::size_t>{0, 1, 2, 3, 5});
}

TEST_CASE("training lowers the loss; what is pruned stays pruned") {
  const Checkpoint start = pruned_checkpoint();
  const EncodedText text = some_text(start.config);
  const Checkpoint trained = finetune({.start = start, .text = text}, some_options());
  CHECK(nll(trained, text) < 0.9 * nll(start, text));
  const std::string name = "encoder.layers.0.fc1.weight";
  CHECK(mask_of(trained.tensors.at(name).values()) == mask_of(start.tensors.at(name).values()));
  CHECK(trained.tensors.at(name) != start.tensors.at(name));
}

TEST_CASE("codes stay, unless they are free") {
  const Checkpoint original = tiny_checkpoint(6);
  const Checkpoint start = tiny_quantized_checkpoint(6);
  const EncodedText text = some_text(start.config);
  FinetuneOptions options = some_options();
  const Checkpoint fixed = finetune({.start = start, .text = text}, options);
  options.finetuner.tensors = {.free_codes = true, .codes = {.rate_weight = 0.0}};
  options.learning_rate = 0.03;
  const Checkpoint free = finetune({.start = start, .original = &original, .text = text}, options);
  CHECK(nll(fixed, text) < nll(start, text));
  CHECK(nll(free, text) < nll(start, text));
  bool changed = false;
  for (const auto& [name, tensor] : start.tensors) {
    CAPTURE(name);
    CHECK(fixed.tensors.at(name).quantized() == tensor.quantized());
    CHECK(free.tensors.at(name).quantized() == tensor.quantized());
    if (tensor.quantized()) {
      const Tensor& found = fixed.tensors.at(name);
      CHECK(same_cells(codes_of(found), codes_of(tensor)));
      changed = changed || codes_of(free.tensors.at(name)) != codes_of(found);
    }
  }
  CHECK(changed);
}

TEST_CASE("free codes have no more bits than at the start, or fewer as wanted") {
  const Checkpoint original = tiny_checkpoint(6);
  const Checkpoint start = tiny_quantized_checkpoint(6);
  const EncodedText text = some_text(start.config);
  const FinetuneInputs inputs{.start = start, .original = &original, .text = text};
  FinetuneOptions options = free_code_options();
  // Here training by itself would end in fewer bits.
  CHECK(coded_bits(finetune(inputs, options)) < 1.005 * coded_bits(start));
  for (const double fraction : {0.9, 0.8}) {
    options.code_bits = fraction;
    const Checkpoint trained = finetune(inputs, options);
    const double bits = coded_bits(trained) / coded_bits(start);
    CHECK(bits < 1.005 * fraction);  // training may take off more by itself
    CHECK(bits > 0.95 * fraction);
  }
  // The best model is not one that was still too large. The tables are held for themselves: a code
  // more or less is a hundredth of their bits.
  options.code_bits = 0.9;
  const Checkpoint best =
      finetune({.start = start, .original = &original, .text = text, .development = text}, options);
  CHECK(coded_bits(best) < 1.005 * 0.9 * coded_bits(start));
  CHECK(coded_bits(best) > 0.95 * 0.9 * coded_bits(start));
  options.code_bits = 0.0;
  CHECK_THROWS_AS(finetune(inputs, options), ConfigError);
}

TEST_CASE("pruning falls off as the cube of what is left to do") {
  const Checkpoint start = pruned_checkpoint();
  const std::string half = "encoder.layers.0.fc1.weight";
  const std::string dense = "encoder.layers.0.fc2.weight";
  const std::string table = "encoder.embed_tokens.weight";
  const PruningSchedule schedule(start, {.sparsity = 0.8, .tensors = {{dense, 0.4}, {table, 0.1}}});
  CHECK(schedule.at(0.0).at(half) == Approx(0.5));
  CHECK(schedule.at(0.5).at(half) == Approx(0.8 - 0.3 / 8));
  CHECK(schedule.at(0.5).at(dense) == Approx(0.4 - 0.4 / 8));
  CHECK(schedule.at(1.0).at(half) == 0.8);
  CHECK(schedule.at(1.0).at(table) == 0.1);
  // Biases, gains and tables are not meant by "all"; nor is what is sparse enough already.
  for (const auto& [name, sparsity] : schedule.at(1.0)) {
    CHECK((name == table || start.tensors.at(name).shape.size() == 2));
    CHECK((name == table || name.find("embed") == std::string::npos));
  }
  CHECK(PruningSchedule(start, {}).empty());
  CHECK(PruningSchedule(start, {.tensors = {{half, 0.3}}}).empty());
  for (const GradualPruning& bad :
       {GradualPruning{.sparsity = 1.5}, GradualPruning{.tensors = {{"nothing", 0.5}}},
        GradualPruning{.tensors = {{"encoder.layers.0.fc1.bias", 0.5}}}}) {
    CHECK_THROWS_AS(PruningSchedule(start, bad), ConfigError);
  }
  CHECK_THROWS_WITH(PruningSchedule(tiny_quantized_checkpoint(1), {.sparsity = 0.5}),
                    Catch::Contains("codebook"));
}

TEST_CASE("a model is pruned while it is trained, and only then a candidate") {
  const Checkpoint start = pruned_checkpoint();
  const EncodedText text = some_text(start.config);
  FinetuneOptions options = some_options();
  const std::string half = "encoder.layers.0.fc1.weight";
  const std::string milder = "encoder.layers.0.fc2.weight";
  options.pruning = {.sparsity = 0.75, .tensors = {{milder, 0.25}}};
  std::vector<double> sparsities;
  const FinetuneObserver observer{
      .progress = {}, .save = [&](const FinetuneState& state) {
        sparsities.push_back(sparsity(state.tensors.at(milder).front()));
      }};
  for (const EncodedText& development : {EncodedText(), text}) {
    const Checkpoint trained =
        finetune({.start = start, .text = text, .development = development}, options, observer);
    for (const ParameterSpec& spec : parameter_specs(start.config)) {
      CAPTURE(spec.name);
      const std::vector<float> values = trained.tensors.at(spec.name).values();
      const double wanted = spec.role != Role::kMatrix ? 0.0 : spec.name == milder ? 0.25 : 0.75;
      CHECK(sparsity(values) ==
            Approx(wanted).margin(0.5 / static_cast<double>(values.size()) + 1e-9));
    }
    // What was pruned at the start stays so.
    const std::vector<float> before = start.tensors.at(half).values();
    const std::vector<float> after = trained.tensors.at(half).values();
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK((before[i] != 0.0f || after[i] == 0.0f));
    }
  }
  CHECK(std::ranges::is_sorted(std::span(sparsities).first(sparsities.size() / 2)));
  CHECK(sparsities.front() > 0.0);
  CHECK(sparsities.front() < 0.25);
}

TEST_CASE("the model of the highest BLEU is kept where that is asked for, also after going on") {
  const Checkpoint start = pruned_checkpoint();
  const EncodedText text = some_text(start.config);
  const FinetuneInputs inputs{.start = start, .text = text, .development = text};
  FinetuneOptions options = some_options();
  options.select = Selection::kBleu;
  CHECK_THROWS_AS(finetune(inputs, options), ConfigError);
  // What is said of the start and of the models after it, the third of which is the best.
  const std::vector<double> bleu = {20.0, 10.0, 30.0, 40.0, 25.0, 39.9, 15.0, 35.0, 40.0};
  std::size_t asked = 0;
  std::vector<std::vector<std::byte>> files;
  FinetuneObserver observer;
  observer.bleu = [&](const Transformer&) { return asked < bleu.size() ? bleu[asked++] : 1.0; };
  std::map<std::string, Tensor> wanted;
  observer.save = [&](const FinetuneState& state) {
    files.push_back(formats::encode_training(state, "this training"));
    if (files.size() == 3) {
      wanted = state.best;
    }
  };
  CHECK_THROWS_AS(finetune({.start = start, .text = text}, options, observer), ConfigError);
  const Checkpoint kept = finetune(inputs, options, observer);
  REQUIRE(files.size() > 5);
  CHECK(kept.tensors == wanted);
  CHECK(kept.tensors != start.tensors);
  asked = 1 + 5;
  const Checkpoint resumed =
      finetune(inputs, options, observer, formats::read_training(files[4], start, "this training"));
  CHECK(resumed.tensors == wanted);
}

TEST_CASE("a student comes closer to its teacher without references that say anything") {
  const Checkpoint teacher = tiny_checkpoint(7);
  Checkpoint start = teacher;
  for (auto& [name, tensor] : start.tensors) {
    std::vector<float> values = tensor.values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += (i % 3 == 0) ? 0.1f : -0.05f;
    }
    tensor = dense_tensor(tensor.shape, values);
  }
  const EncodedText text = some_text(teacher.config);
  FinetuneOptions options = some_options();
  options.epochs = 20.0;
  options.finetuner.objective.distillation = 1.0;
  const Checkpoint student =
      finetune({.start = start, .original = &teacher, .text = text}, options);
  const auto distance = [&](const Checkpoint& checkpoint) {
    const Matrix a = Transformer(teacher).logits(
        teacher_forced_features(Transformer(teacher), text.source, text.target));
    const Matrix b =
        Transformer(checkpoint)
            .logits(teacher_forced_features(Transformer(checkpoint), text.source, text.target));
    return (a - b).norm();
  };
  CHECK(distance(student) < 0.5 * distance(start));
}

TEST_CASE("training is the same for any number of threads") {
  const Checkpoint start = pruned_checkpoint();
  const EncodedText text = some_text(start.config);
  std::vector<Checkpoint> trained;
  for (const int threads : {1, 2, 3}) {
    const ThreadCount guard(threads);
    trained.push_back(finetune({.start = start, .text = text}, some_options()));
  }
  CHECK(trained[1].tensors == trained[0].tensors);
  CHECK(trained[2].tensors == trained[0].tensors);
}

TEST_CASE("an interrupted training goes on from its file and ends in the same model") {
  const EncodedText text = some_text(tiny_checkpoint(1).config);
  std::vector<std::vector<std::byte>> files;
  FinetuneOptions shrinking = free_code_options();
  shrinking.code_bits = 0.9;
  FinetuneOptions pruning = some_options();
  pruning.pruning.sparsity = 0.8;
  const std::vector<std::pair<Checkpoint, FinetuneOptions>> trainings = {
      {tiny_quantized_checkpoint(6), free_code_options()},
      {tiny_quantized_checkpoint(6), shrinking},
      {pruned_checkpoint(), some_options()},
      {pruned_checkpoint(), pruning},
  };
  for (const auto& [begin, options] : trainings) {
    files.clear();
    const FinetuneObserver observer{
        .progress = {}, .save = [&, &begin = begin](const FinetuneState& state) {
          files.push_back(formats::encode_training(state, "this training"));
        }};
    const Checkpoint whole =
        finetune({.start = begin, .text = text, .development = text}, options, observer);
    REQUIRE(files.size() > 2);
    for (const std::size_t file : {std::size_t{1}, files.size() - 2}) {
      const Checkpoint resumed =
          finetune({.start = begin, .text = text, .development = text}, options, {},
                   formats::read_training(files[file], begin, "this training"));
      CHECK(resumed.tensors == whole.tensors);
    }
  }
  const Checkpoint start = pruned_checkpoint();
  CHECK_THROWS_AS(formats::read_training(files[1], start, "another"), ConfigError);
  files[1].pop_back();
  CHECK_THROWS_AS(formats::read_training(files[1], start, "this training"), FormatError);
}

TEST_CASE("with a development set the best model is kept, if need be the start") {
  const Checkpoint start = tiny_checkpoint(8);
  const EncodedText text = some_text(start.config);
  FinetuneOptions options = some_options();
  options.learning_rate = 1.0;  // ruins it
  options.patience = 2;
  const EncodedText development = {{text.source[1]}, {text.target[3]}};
  CHECK(nll(finetune({.start = start, .text = text, .development = development}, options),
            development) <= nll(start, development));
}

TEST_CASE("bad training is refused") {
  const Checkpoint start = tiny_checkpoint(9);
  CHECK_THROWS_AS(finetune({.start = start, .text = {}}, some_options()), ConfigError);
  CHECK_THROWS_AS(Finetuner(start, nullptr, {}).restore({}), ConfigError);
  Checkpoint other = start;
  other.config.encoder.embed_dim += 1;
  CHECK_THROWS_AS(Finetuner(start, &other, {}), ConfigError);
}

}  // namespace ltz::compress
