#include <fmt/format.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/commands/hypotheses.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "model/base/parallel.h"
#include "model/decoding/continuation.h"
#include "model/decoding/next_words.h"
#include "model/decoding/sampling.h"
#include "model/decoding/translator.h"

namespace ltz::cli {
namespace {

constexpr const char* kSampling = "Sampling (--sample)";

struct Options {
  ModelOptions model;
  BeamOptions beam{.lenpen = 1.0};  // fairseq's default
  Arithmetic arithmetic = Arithmetic::kFloat32;
  HypothesisOptions hypotheses;
  bool sample = false;
  SamplingOptions sampling;
  int next = 0;  // not 0: so many next words, instead of texts
};

// What goes on from prompts.
struct Generator {
  Transformer model;
  TextCodec codec;
};

// The checkpoint's own copy of the weights is not kept.
Generator read_generator(const Options& options) {
  const Checkpoint checkpoint = options.model.read().checkpoint;
  if (!is_language_model(checkpoint.config)) {
    throw CLI::ValidationError("the model translates: that is what ltz translate is for");
  }
  return {Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint)};
}

// The answers to prompts, in their order. one: the answer to the prompt of this index.
std::string on_all_threads(std::size_t prompts,
                           const std::function<std::string(std::size_t prompt)>& one) {
  std::vector<std::string> answers(prompts);
  parallel_for(prompts, [&](std::size_t p) { answers[p] = one(p); });
  std::string text;
  for (const std::string& answer : answers) {
    text += answer;
  }
  return text;
}

std::string next_words_text(const Generator& generator, const TokenIds& prompt, std::size_t line,
                            int count) {
  Continuation read(generator.model);
  read.extend(prompt);
  std::string text;
  for (const NextWord& word :
       next_words(read, generator.codec, {.count = static_cast<std::size_t>(count)})) {
    text += fmt::format("{}\t{:.6f}\t{}\n", line, std::exp(word.log_probability), word.text);
  }
  return text;
}

std::string answer(const Generator& generator, const std::vector<TokenIds>& prompts,
                   std::size_t first, const Options& options) {
  if (options.next != 0) {
    return on_all_threads(prompts.size(), [&](std::size_t p) {
      return next_words_text(generator, prompts[p], first + p, options.next);
    });
  }
  if (options.sample) {
    const Sampler sampler(generator.model, options.beam, options.sampling);
    return on_all_threads(prompts.size(), [&](std::size_t p) {
      std::vector<Hypothesis> samples;
      for (std::size_t i = 0; i < options.hypotheses.count(); ++i) {
        samples.push_back(sampler.sample(prompts[p], first + p, i));
      }
      return to_text(samples, first + p, generator.codec, options.hypotheses);
    });
  }
  const auto found = translate(generator.model, prompts, options.beam, batch_by_length(prompts));
  std::string text;
  for (std::size_t p = 0; p < found.size(); ++p) {
    text += to_text(found[p], first + p, generator.codec, options.hypotheses);
  }
  return text;
}

int run(const Options& options) {
  const Generator generator = read_generator(options);
  // For the next word, the model is the only limit.
  const BeamOptions limits =
      options.next == 0 ? options.beam : BeamOptions{.max_len_b = std::numeric_limits<int>::max()};
  const auto encode = [&](const std::string& line) {
    TokenIds prompt = generator.codec.encode_prompt(line);
    check_prompt(generator.model, prompt, limits);
    return prompt;
  };
  answer_lines(
      {.encode = encode, .answer = [&](const std::vector<TokenIds>& prompts, std::size_t first) {
         return answer(generator, prompts, first, options);
       }});
  return kDone;
}

// Throws CLI::ValidationError, naming the option, when one was given that has no effect.
void require_effect(const CLI::App& command, const Options& options) {
  static constexpr std::array<const char*, 2> kBeamOnly = {"--beam", "--lenpen"};
  static constexpr std::array<const char*, 4> kSampleOnly = {"--top-k", "--top-p", "--temperature",
                                                             "--seed"};
  static constexpr std::array<const char*, 6> kTexts = {
      "--max-len-a", "--max-len-b", "--min-len", "--no-repeat-ngram-size", "--n-best", "--scores"};
  const auto refuse = [&](const auto& names, const char* why) {
    for (const char* name : names) {
      if (command.count(name) != 0) {
        throw CLI::ValidationError(name, fmt::format("has no effect {}", why));
      }
    }
  };
  if (options.next != 0) {
    refuse(kTexts, "with --next");
    refuse(kBeamOnly, "with --next");
  } else if (options.sample) {
    refuse(kBeamOnly, "with --sample");
  }
  if (!options.sample) {
    refuse(kSampleOnly, "without --sample");
  }
}

void add_sampling(CLI::App& command, Options& options) {
  SamplingOptions& sampling = options.sampling;
  command.add_flag("--sample", options.sample, "Draw words at random instead of searching")
      ->group(kSampling);
  command.add_option("--top-k", sampling.top_k, "Among the K likeliest next tokens; 0: among all")
      ->check(at_least(0))
      ->group(kSampling);
  command
      .add_option("--top-p", sampling.top_p,
                  "Among the fewest of the likeliest that together reach this probability")
      ->check(above(0))
      ->check(between(0, 1))
      ->group(kSampling);
  command
      .add_option("--temperature", sampling.temperature,
                  "Divides the logits; below 1: likely words become likelier")
      ->check(between(kLowestTemperature, kHighestTemperature))
      ->group(kSampling);
  command.add_option("--seed", sampling.seed, "Of the random numbers")->group(kSampling);
}

}  // namespace

void setup_generate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "generate", "Go on from the prompts on standard input with a language model, one a line");
  auto options = std::make_shared<Options>();
  add_model(*command, options->model);
  add_beam(*command, options->beam);
  add_sampling(*command, *options);
  auto* next = command->add_option(
      "--next", options->next,
      "Print the K likeliest next words instead: line number, TAB, probability, TAB, word");
  next->check(between(1, 1'000'000))->default_str("")->excludes(command->get_option("--sample"));
  add_precision(*command, options->arithmetic);
  add_hypotheses(*command, options->hypotheses,
                 "Print the best K texts of a prompt, at most --beam (without --beam, there are K "
                 "beams); with --sample, K of them");
  command->footer(
      "Examples:\n"
      "  echo 'a man in' | ltz generate model.ltz --max-len-b 40\n"
      "  echo 'a man in' | ltz generate model.ltz --sample --top-p 0.9 --seed 7\n"
      "  echo 'a man in' | ltz generate model.ltz --next 5");
  command->callback([options, command, &action] {
    require_effect(*command, *options);
    if (!options->sample) {
      require_beams(*command, options->hypotheses, options->beam);
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
