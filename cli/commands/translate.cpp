#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/terminal/line_reader.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/continuation.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::cli {
namespace {

// Most sentences that are translated at a time: enough to find some of similar length, and few
// enough that memory does not grow with the input.
constexpr std::size_t kChunk = 1000;

struct Options {
  ModelOptions model;
  BeamOptions beam;
  Arithmetic arithmetic = Arithmetic::kFloat32;
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

// What turns lines into translations.
struct Translator {
  const Options& options;
  Transformer model;
  TextCodec codec;
};

// Translates and prints in the order of the input. first: number of the first sentence, from 0.
void translate_lines(const Translator& translator, const std::vector<TokenIds>& sources,
                     std::size_t first) {
  const auto translations =
      translate(translator.model, sources, translator.options.beam, batch_by_length(sources));
  for (std::size_t i = 0; i < translations.size(); ++i) {
    print(translator.options, translator.codec, first + i, translations[i]);
  }
}

// The checkpoint's own copy of the weights is not kept.
Translator read_translator(const Options& options) {
  const Checkpoint checkpoint = options.model.read().checkpoint;
  in_context(options.model.path, [&] { require_translation_model(checkpoint.config); });
  return {options, Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint)};
}

int run(const Options& options) {
  const Translator translator = read_translator(options);
  LineReader reader(STDIN_FILENO);
  std::size_t sentence = 0;
  for (auto lines = reader.read(kChunk); !lines.empty(); lines = reader.read(kChunk)) {
    std::vector<TokenIds> sources;
    try {
      for (const std::string& line : lines) {
        TokenIds source = translator.codec.encode_source(line);
        if (!is_empty(source)) {
          check_sentence(translator.model, source, options.beam);
        }
        sources.push_back(std::move(source));
      }
    } catch (const ConfigError& error) {
      // The lines before it are translated first.
      translate_lines(translator, sources, sentence);
      throw ConfigError(fmt::format("line {}: {}", sentence + sources.size() + 1, error.what()));
    }
    translate_lines(translator, sources, sentence);
    sentence += sources.size();
    std::fflush(stdout);
  }
  return kDone;
}

}  // namespace

void setup_translate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("translate", "Translate standard input, one sentence a line");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_beam(*command, options->beam);
  add_precision(*command, options->arithmetic);
  command
      ->add_option("--n-best", options->n_best,
                   "Print the best K translations of a sentence, at most --beam; without --beam, "
                   "there are K beams")
      ->check(between(1, 1000))
      ->default_str("");
  command->add_flag("--scores", options->scores, "Print sentence number, TAB, score, TAB, text");
  command->footer("Example:\n  echo 'I am tired .' | ltz translate model.ltz --n-best 4");
  command->callback([options, command, &action] {
    if (options->n_best > options->beam.beam) {
      if (command->count("--beam") != 0) {
        throw CLI::ValidationError("--n-best", fmt::format("expected at most {} (--beam), found {}",
                                                           options->beam.beam, options->n_best));
      }
      options->beam.beam = options->n_best;
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
