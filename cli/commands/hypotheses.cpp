#include "cli/commands/hypotheses.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/options/values.h"
#include "cli/terminal/line_reader.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

// Most lines that are worked on at a time: enough to find some of similar length, and few enough
// that memory does not grow with the input.
constexpr std::size_t kChunk = 1000;

}  // namespace

void add_hypotheses(CLI::App& command, HypothesisOptions& options, const std::string& what) {
  command.add_option("--n-best", options.n_best, what)->check(between(1, 1000))->default_str("");
  command.add_flag("--scores", options.scores, "Print sentence number, TAB, score, TAB, text");
}

void require_beams(const CLI::App& command, const HypothesisOptions& options, BeamOptions& beam) {
  if (options.n_best <= beam.beam) {
    return;
  }
  if (command.count("--beam") != 0) {
    throw CLI::ValidationError("--n-best", fmt::format("expected at most {} (--beam), found {}",
                                                       beam.beam, options.n_best));
  }
  beam.beam = options.n_best;
}

std::string to_text(const std::vector<Hypothesis>& hypotheses, std::size_t line,
                    const TextCodec& codec, const HypothesisOptions& options) {
  if (options.n_best == 0 && !options.scores) {
    return (hypotheses.empty() ? "" : codec.decode_target(hypotheses.front().tokens)) + "\n";
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(options.count(), hypotheses.size()); ++i) {
    text += fmt::format("{}\t{:.6f}\t{}\n", line, hypotheses[i].score,
                        codec.decode_target(hypotheses[i].tokens));
  }
  return text;
}

void answer_lines(const LineWork& work) {
  LineReader reader(STDIN_FILENO);
  std::size_t first = 0;
  for (auto lines = reader.read(kChunk); !lines.empty(); lines = reader.read(kChunk)) {
    std::vector<TokenIds> encoded;
    try {
      for (const std::string& line : lines) {
        encoded.push_back(work.encode(line));
      }
    } catch (const ConfigError& error) {
      fmt::print("{}", work.answer(encoded, first));
      throw ConfigError(fmt::format("line {}: {}", first + encoded.size() + 1, error.what()));
    }
    fmt::print("{}", work.answer(encoded, first));
    std::fflush(stdout);
    first += encoded.size();
  }
}

}  // namespace ltz::cli
