#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "model/decoding/beam_search.h"
#include "model/decoding/text_codec.h"

// What commands have in common that turn the lines of standard input into texts.
namespace ltz::cli {

struct HypothesisOptions {
  int n_best = 0;  // 0: one, and as text alone
  bool scores = false;

  std::size_t count() const { return n_best == 0 ? 1 : static_cast<std::size_t>(n_best); }
};
// --n-best, --scores. what: the hypotheses of a line, in words.
void add_hypotheses(CLI::App& command, HypothesisOptions& options, const std::string& what);

// No more hypotheses than beams: as many beams as hypotheses, or, if --beam was given,
// CLI::ValidationError.
void require_beams(const CLI::App& command, const HypothesisOptions& options, BeamOptions& beam);

// One line each. line: its number, from 0.
std::string to_text(const std::vector<Hypothesis>& hypotheses, std::size_t line,
                    const TextCodec& codec, const HypothesisOptions& options);

// Standard input as ids, as many lines at a time as are there.
struct LineWork {
  // Throws ConfigError for a line that cannot be worked on.
  std::function<TokenIds(const std::string& line)> encode;
  // What is to be printed for these lines. first: number of the first of them, from 0.
  std::function<std::string(const std::vector<TokenIds>& lines, std::size_t first)> answer;
};
// Prints the answers in the order of the input, before it waits for more. Throws ConfigError that
// names the line, after the answers to those before it.
void answer_lines(const LineWork& work);

}  // namespace ltz::cli
