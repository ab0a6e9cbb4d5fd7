#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/options/options.h"
#include "cli/options/values.h"
#include "cli/pipeline/bench_rounds.h"
#include "cli/reports/report.h"
#include "cli/terminal/line_reader.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_events.h"
#include "eval/budget/accounting.h"

namespace ltz::cli {
namespace {

using pipeline::BenchOptions;
using pipeline::BenchResult;
using pipeline::BenchRounds;
using pipeline::BenchTimes;
using pipeline::BenchWork;

struct Options {
  ModelOptions model;
  TextOptions text;
  BenchOptions bench;
  JsonOptions json;
};

// One line of the report: a piece of work and what limits it.
struct Measure {
  std::string name;     // in JSON
  std::string heading;  // in the table
  double amount;        // of work, in units
  std::string unit;
  double cost;  // floating-point operations, or bytes to read and write
  enum class Limit { kGemm, kMemory } limit;
  double BenchTimes::*seconds;
};

// What was measured, in the order of the report.
std::vector<Measure> measures(const BenchWork& work) {
  using enum Measure::Limit;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  const double megabyte = 1e6;
  const double file = number(work.file_bytes);
  std::vector<Measure> measures = {{"load", "load", file / megabyte, "MB",
                                    file + number(eval::fp32_bytes(work.parameters)), kMemory,
                                    &BenchTimes::load}};
  if (work.decoded_bytes != 0) {
    const double decoded = number(work.decoded_bytes);
    measures.push_back({"decode", "decode .ltz", decoded / megabyte, "MB", file + decoded, kMemory,
                        &BenchTimes::decode});
  }
  if (work.next_words != 0) {
    measures.push_back({"next_words", "word, then next 5", number(work.next_words), "words",
                        work.next_flop, kGemm, &BenchTimes::next});
  } else {
    measures.push_back({"first_sentence", "first sentence", 1.0, "sentences", work.first_flop,
                        kGemm, &BenchTimes::first});
    measures.push_back({"translate", "translate", number(work.sentences), "sentences",
                        work.translate_flop, kGemm, &BenchTimes::translate});
  }
  measures.push_back(
      {"nll", "NLL", number(work.target_tokens), "tokens", work.nll_flop, kGemm, &BenchTimes::nll});
  if (work.matrix_weights != 0) {
    // Floats are read and codes written.
    const double weights = number(work.matrix_weights);
    measures.push_back({"kmeans", "K-means 256", weights / 1e6, "M weights",
                        (sizeof(float) + 1.0) * weights, kMemory, &BenchTimes::kmeans});
  }
  return measures;
}

double gemm(const BenchTimes& times) {
  return times.limits.gemm;
}

double memory(const BenchTimes& times) {
  return times.limits.memory;
}

template <typename Member>
double median(const BenchRounds& rounds, const Member& member) {
  std::vector<double> values(rounds.size());
  std::ranges::transform(rounds, values.begin(), member);
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return std::midpoint(values[half], values[values.size() - 1 - half]);
}

// Of the limit of the same round.
double median_share(const Measure& measure, const BenchRounds& rounds) {
  return median(rounds, [&](const BenchTimes& times) {
    const double limit = measure.limit == Measure::Limit::kGemm ? gemm(times) : memory(times);
    return measure.cost / (times.*measure.seconds) / limit;
  });
}

nlohmann::ordered_json to_json(const Options& options, const BenchResult& result) {
  const BenchWork& work = result.work;
  nlohmann::ordered_json json = {{"runs", options.bench.runs},
                                 {"random_text", !options.text.given()},
                                 {"beam", options.bench.beam.beam},
                                 {"precision", to_string(options.bench.arithmetic)},
                                 {"sentences", work.sentences},
                                 {"source_tokens", work.source_tokens},
                                 {"target_tokens", work.target_tokens},
                                 {"file_bytes", work.file_bytes},
                                 {"translate_flop", work.translate_flop},
                                 {"nll_flop", work.nll_flop}};
  if (work.next_words != 0) {
    json.erase("beam");
    json.erase("translate_flop");
    json["next_words_flop"] = work.next_flop;
  }
  json["threads"] = nlohmann::ordered_json::array();
  for (const BenchRounds& rounds : result.rounds) {
    nlohmann::ordered_json entry = {{"threads", rounds.front().threads},
                                    {"gemm_flops", median(rounds, gemm)},
                                    {"memory_bytes_per_second", median(rounds, memory)}};
    for (const Measure& measure : measures(work)) {
      const double seconds = median(rounds, measure.seconds);
      const char* limit =
          measure.limit == Measure::Limit::kGemm ? "share_of_gemm" : "share_of_memory";
      entry[measure.name] = {{"seconds", seconds},
                             {"per_second", measure.amount / seconds},
                             {"unit", measure.unit},
                             {limit, median_share(measure, rounds)}};
    }
    json["threads"].push_back(std::move(entry));
  }
  return json;
}

// Four digits, however large.
std::string rate(double per_second, const std::string& unit) {
  const int decimals = per_second < 10 ? 3 : per_second < 100 ? 2 : per_second < 1000 ? 1 : 0;
  return fmt::format("{:.{}f} {}/s", per_second, decimals, unit);
}

std::string table(const BenchResult& result) {
  std::vector<std::vector<std::string>> rows = {{"", "threads", "seconds", "speed", "limit"}};
  for (const BenchRounds& rounds : result.rounds) {
    const std::string threads = fmt::to_string(rounds.front().threads);
    rows.push_back(
        {"GEMM 2048 x 2048 x 2048", threads, "", rate(median(rounds, gemm) / 1e9, "GFLOP"), ""});
    rows.push_back({"memory bandwidth", threads, "", rate(median(rounds, memory) / 1e9, "GB"), ""});
  }
  for (const Measure& measure : measures(result.work)) {
    rows.push_back({});
    for (const BenchRounds& rounds : result.rounds) {
      const double seconds = median(rounds, measure.seconds);
      rows.push_back({measure.heading, fmt::to_string(rounds.front().threads),
                      fmt::format("{:.4f}", seconds), rate(measure.amount / seconds, measure.unit),
                      fmt::format("{:.1f}% of {}", 100.0 * median_share(measure, rounds),
                                  measure.limit == Measure::Limit::kGemm ? "GEMM" : "memory")});
    }
  }
  return format_table(rows);
}

std::string describe(const Options& options, const BenchWork& work) {
  const BenchOptions& bench = options.bench;
  const char* random = options.text.given() ? "" : " of random words";
  if (work.next_words != 0) {
    return fmt::format(
        "{} sentences{}, {} tokens; {}\n{:.4f} GFLOP a sentence to read; medians of {} runs\n",
        work.sentences, random, work.target_tokens, to_string(bench.arithmetic),
        work.nll_flop / 1e9 / static_cast<double>(work.sentences), bench.runs);
  }
  return fmt::format(
      "{} sentences{}, {} source tokens, {} target tokens{}; beam {}, {}\n"
      "{:.3f} GFLOP a sentence to translate, {:.4f} to read; medians of {} runs\n",
      work.sentences, random, work.source_tokens, work.target_tokens,
      options.text.reference.empty() ? " of the model's own translations" : "", bench.beam.beam,
      to_string(bench.arithmetic), work.translate_flop / 1e9 / static_cast<double>(work.sentences),
      work.nll_flop / 1e9 / static_cast<double>(work.sentences), bench.runs);
}

int run(const Options& options) {
  Files().reads(options.model).reads(options.text).writes(options.json).check();
  if (options.text.given()) {
    options.text.require_matches(options.model.read().checkpoint.config);
  }
  BenchOptions bench = options.bench;
  bench.model = options.model.path;
  bench.vocabulary = options.model.vocabulary;
  if (options.text.source.empty() ? options.text.given() : !options.text.reference.empty()) {
    eval::ParallelText text = options.text.read();
    bench.source = std::move(text.source);
    bench.reference = std::move(text.reference);
  } else if (options.text.given()) {
    bench.source = read_text(options.text.source);
  }
  const BenchResult result =
      pipeline::run_bench(bench, omp_get_max_threads(), terminal_events().start("measuring"));
  if (options.json.given()) {
    write_json(options.json, to_json(options, result));
  }
  if (!options.json.to_stdout()) {
    fmt::print("{}\n{}", describe(options, result.work), table(result));
  }
  return kDone;
}

}  // namespace

void setup_bench(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "bench", "Speed of loading, translating, reading and K-means, and the machine's limits");
  auto options = std::make_shared<Options>();
  BenchOptions& bench = options->bench;
  add_model(*command, options->model);
  auto* source = command->add_option("--src", options->text.source,
                                     "Text to translate; default: 200 sentences of random words");
  command
      ->add_option("--ref", options->text.reference,
                   "Its translation, to be read; default: the model's own")
      ->needs(source);
  command
      ->add_option("--text", options->text.text,
                   "Text of a language model, to be read; default: random words")
      ->excludes(source);
  command->add_option("--runs", bench.runs, "The medians of so many runs are reported")
      ->check(between(1, 1000));
  add_beam(*command, bench.beam);
  add_precision(*command, bench.arithmetic);
  add_json(*command, options->json);
  command->footer(
      "Speeds are compared with the GEMM of the same BLAS (flop: two for each multiplication that\n"
      "`ltz inspect` counts and for those of the output projection) or with memory bandwidth.\n"
      "Example:\n  ltz bench model.ltz --src test.en --ref test.fr --runs 5");
  command->callback([options, &action] {
    if (options->model.path == "-") {
      throw CLI::ValidationError("MODEL", "expected a file, as it is read several times");
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace ltz::cli
