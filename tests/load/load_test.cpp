// What a process does that lives for long: it loads models again and again, and translates with one
// model in several threads. The preset tsan builds these tests with ThreadSanitizer.

#include <malloc.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "eval/budget/device.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/models/model_file.h"
#include "formats/safetensors/checkpoint.h"
#include "model/decoding/translator.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;

namespace {

const std::string kTorch = LTZ_GOLDEN_DIR "/iwslt-lightweight/checkpoint.pt";

// Of the process, in bytes.
std::size_t resident_memory() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// That is in use.
std::size_t heap_memory() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

std::vector<TokenIds> some_sentences(const Checkpoint& checkpoint) {
  const int words = checkpoint.config.source_vocabulary_size;
  std::vector<TokenIds> sentences;
  for (int length = 1; length <= 12; ++length) {
    TokenIds sentence(static_cast<std::size_t>(length));
    std::iota(sentence.begin(), sentence.end(), Vocabulary::kSpecials + length % 3);
    for (int& id : sentence) {
      id = std::min(id, words - 1);
    }
    sentence.back() = Vocabulary::kEos;
    sentences.push_back(sentence);
  }
  return sentences;
}

std::vector<TokenIds> translations(const Transformer& model,
                                   const std::vector<TokenIds>& sentences) {
  std::vector<TokenIds> best;
  for (const auto& hypotheses :
       translate(model, sentences, {.max_len_b = 20}, batch_by_length(sentences))) {
    best.push_back(hypotheses.front().tokens);
  }
  return best;
}

}  // namespace

TEST_CASE("a model is loaded a thousand times without growth") {
  const Checkpoint tiny = tiny_quantized_checkpoint(1);
  const std::vector<std::byte> ltz = formats::encode_ltz(tiny);
  const std::vector<std::byte> hdf5 = formats::encode_hdf5(tiny);
  const std::vector<std::byte> safetensors = formats::encode_safetensors(tiny);
  const auto load = [&] {
    for (const auto& bytes : {ltz, hdf5, safetensors}) {
      const Transformer model(formats::read_model(bytes, "tiny", {}).checkpoint);
    }
    const Transformer model(formats::read_model(kTorch, {}).checkpoint);
  };
  for (int i = 0; i < 100; ++i) {
    load();
  }
  const std::size_t before = resident_memory();
  for (int i = 0; i < 900; ++i) {
    load();
  }
  // A leak of 3 kB in one of the four readers would show.
  CHECK(resident_memory() < before + (std::size_t{2} << 20));
}

TEST_CASE("eight threads translate with one model") {
  // Which threads of OpenMP wait for each other is nothing that ThreadSanitizer can see.
  const ThreadCount guard(1);
  const Checkpoint checkpoint = formats::read_model(kTorch, {}).checkpoint;
  const std::vector<TokenIds> sentences = some_sentences(checkpoint);
  for (const Arithmetic arithmetic : {Arithmetic::kFloat32, Arithmetic::kInt8}) {
    const Transformer model(checkpoint, arithmetic);
    std::vector<std::vector<TokenIds>> found(8);
    std::vector<std::thread> threads;
    for (auto& result : found) {
      threads.emplace_back([&] {
        const ThreadCount one(1);
        result = translations(model, sentences);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const auto expected = translations(model, sentences);
    for (const auto& result : found) {
      CHECK(result == expected);
    }
  }
}

TEST_CASE("a model of floats takes the memory that `ltz inspect --device` says") {
  for (const std::string path : {LTZ_EXAMPLES_DIR "/tatoeba-160/checkpoint.pt",
                                 LTZ_GOLDEN_DIR "/wmt-dynamic-glu/checkpoint.pt",
                                 LTZ_GOLDEN_DIR "/transformer-base/checkpoint.pt"}) {
    CAPTURE(path);
    const Checkpoint checkpoint = formats::read_model(path, {}).checkpoint;
    const std::size_t before = heap_memory();
    const Transformer model(checkpoint);
    const auto found = static_cast<double>(heap_memory() - before);
    const auto expected = static_cast<double>(eval::loaded_bytes(checkpoint.config));
    // Small models have small tensors, with names and rows of padding.
    CHECK(found == Approx(expected).epsilon(0.02).margin(200'000));
  }
}
