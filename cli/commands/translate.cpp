#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/commands/hypotheses.h"
#include "cli/options/options.h"
#include "model/decoding/translator.h"

namespace ltz::cli {
namespace {

struct Options {
  ModelOptions model;
  BeamOptions beam;
  Arithmetic arithmetic = Arithmetic::kFloat32;
  HypothesisOptions hypotheses;
};

// What turns lines into translations.
struct Translator {
  Transformer model;
  TextCodec codec;
};

// The checkpoint's own copy of the weights is not kept.
Translator read_translator(const Options& options) {
  const Checkpoint checkpoint = options.model.read().checkpoint;
  if (is_language_model(checkpoint.config)) {
    throw CLI::ValidationError("the model is a language model: ltz generate goes on from prompts");
  }
  return {Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint)};
}

int run(const Options& options) {
  const Translator translator = read_translator(options);
  const auto encode = [&](const std::string& line) {
    TokenIds source = translator.codec.encode_source(line);
    if (!is_empty(source)) {
      check_sentence(translator.model, source, options.beam);
    }
    return source;
  };
  const auto answer = [&](const std::vector<TokenIds>& sources, std::size_t first) {
    const auto found = translate(translator.model, sources, options.beam, batch_by_length(sources));
    std::string text;
    for (std::size_t i = 0; i < found.size(); ++i) {
      text += to_text(found[i], first + i, translator.codec, options.hypotheses);
    }
    return text;
  };
  answer_lines({.encode = encode, .answer = answer});
  return kDone;
}

}  // namespace

void setup_translate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("translate", "Translate standard input, one sentence a line");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_beam(*command, options->beam);
  add_precision(*command, options->arithmetic);
  add_hypotheses(*command, options->hypotheses,
                 "Print the best K translations of a sentence, at most --beam; without --beam, "
                 "there are K beams");
  command->footer("Example:\n  echo 'I am tired .' | ltz translate model.ltz --n-best 4");
  command->callback([options, command, &action] {
    require_beams(*command, options->hypotheses, options->beam);
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
