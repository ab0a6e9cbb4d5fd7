#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "model/error.h"
#include "model/translator.h"

namespace ltz::cli {
namespace {

// Sentences that are read before any is translated: enough to find some of similar length, and few
// enough that memory does not grow with the input.
constexpr std::size_t kChunk = 1000;

struct Options {
  ModelOptions model;
  BeamOptions beam;
  int n_best = 0;
  bool scores = false;
};

void print(const Options& options, const TextCodec& codec, std::size_t sentence,
           const std::vector<Hypothesis>& hypotheses) {
  if (options.n_best == 0 && !options.scores) {
    fmt::print("{}\n", hypotheses.empty() ? "" : codec.decode_target(hypotheses.front().tokens));
    return;
  }
  const std::size_t count = options.n_best == 0 ? 1 : static_cast<std::size_t>(options.n_best);
  for (std::size_t i = 0; i < std::min(count, hypotheses.size()); ++i) {
    fmt::print("{}\t{:.6f}\t{}\n", sentence, hypotheses[i].score,
               codec.decode_target(hypotheses[i].tokens));
  }
}

int run(Options options) {
  options.beam.beam = std::max(options.beam.beam, options.n_best);
  const Checkpoint checkpoint = options.model.read().checkpoint;
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  std::size_t sentence = 0;
  while (std::cin) {
    std::vector<TokenIds> sources;
    for (std::string line; sources.size() < kChunk && std::getline(std::cin, line);) {
      sources.push_back(codec.encode_source(line));
    }
    for (const auto& hypotheses :
         translate(model, sources, options.beam, batch_by_length(sources))) {
      print(options, codec, sentence++, hypotheses);
    }
    std::fflush(stdout);
  }
  if (std::cin.bad()) {
    throw IoError("cannot read standard input");
  }
  return kDone;
}

}  // namespace

void setup_translate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("translate", "Translate standard input, one sentence a line");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_beam(*command, options->beam);
  command->add_option("--n-best", options->n_best, "Print the best K translations of a sentence")
      ->check(CLI::Range(1, 1000))
      ->default_str("");
  command->add_flag("--scores", options->scores, "Print sentence number, TAB, score, TAB, text");
  command->footer("Example:\n  echo 'I am tired .' | ltz translate model.ltz --n-best 4");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ltz::cli
