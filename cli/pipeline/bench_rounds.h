#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/pipeline/events.h"
#include "eval/budget/machine_limits.h"
#include "formats/fairseq/vocabulary_files.h"
#include "model/decoding/beam_search.h"
#include "model/kernels/weight_matrix.h"

// Speed, beside the limits of the machine.
namespace ltz::pipeline {

struct BenchOptions {
  std::string model;  // file
  formats::VocabularyFiles vocabulary;
  std::vector<std::string> source;  // text to translate; empty: sentences of random words
  // Its translation; empty: the model's own. Of a language model the text, with empty sources.
  std::vector<std::string> reference;
  int runs = 3;
  BeamOptions beam;
  Arithmetic arithmetic = Arithmetic::kFloat32;
};

// How much there is to do. Flop: two for each multiplication that eval/budget/accounting.h counts,
// output projection included.
struct BenchWork {
  std::int64_t sentences = 0;
  std::int64_t source_tokens = 0;  // with </s>, as target_tokens
  std::int64_t target_tokens = 0;  // of what is read teacher-forced
  double first_flop = 0.0;         // of translating the first sentence
  double translate_flop = 0.0;
  std::int64_t next_words = 0;  // language models only: words that are read one by one
  double next_flop = 0.0;       // of that, with the distribution behind each
  double nll_flop = 0.0;
  std::int64_t file_bytes = 0;
  std::int64_t parameters = 0;      // without tied ones
  std::int64_t decoded_bytes = 0;   // .ltz only: a code is one, a float four; else 0
  std::int64_t matrix_weights = 0;  // of linear layers; 0 where they have codebooks already
};

// Seconds that it takes with this number of threads, once.
struct BenchTimes {
  int threads = 1;
  eval::MachineLimits limits;  // means of what they are before and after
  double load = 0.0;           // from the file to ready to translate
  double decode = 0.0;         // .ltz only: from its bytes to codes and floats
  double first = 0.0;          // translation of the first sentence, alone
  double translate = 0.0;      // of all sentences
  double next = 0.0;           // a language model's next words, one after the other
  double nll = 0.0;            // of all sentences, teacher-forced
  double kmeans = 0.0;         // 256 centroids for every matrix, from a linear start
};

using BenchRounds = std::vector<BenchTimes>;  // one per run

struct BenchResult {
  BenchWork work;
  std::vector<BenchRounds> rounds;  // with one thread, then with all if there are more
};

// threads: all that may be used. The limits of the machine are measured in every round, next to
// what is compared with them: many machines do not keep their speed. Throws as read_model and
// translate do. progress: of rounds, one per run and number of threads.
BenchResult run_bench(const BenchOptions& options, int threads, const Progress& progress);

}  // namespace ltz::pipeline
