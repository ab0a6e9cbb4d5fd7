#include "cli/options/options.h"

#include <charconv>
#include <cmath>

#include "cli/options/values.h"
#include "cli/terminal/line_reader.h"
#include "cli/terminal/terminal_events.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

double parse_number(const std::string& text, const std::string& whole) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw CLI::ValidationError("expected numbers like 0.1:0.9:0.1 or 0.3,0.5, found " + whole);
  }
  return value;
}

// At least one part; a separator at the end has an empty one behind it.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t end = text.find(separator); end != std::string::npos;
       end = text.find(separator, start)) {
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

}  // namespace

void add_vocabulary_files(CLI::App& command, formats::VocabularyFiles& files) {
  const auto* group = "Vocabulary of a checkpoint";
  command.add_option("--source-dict", files.source_dict, "Default: dict.SRC.txt beside it")
      ->group(group);
  command.add_option("--target-dict,--dict", files.target_dict, "Default: dict.TGT.txt beside it")
      ->group(group);
  auto* codes = command
                    .add_option("--bpe-codes", files.bpe_codes,
                                "Of subword-nmt or fastBPE; default: bpe.codes beside it, if there")
                    ->group(group);
  auto* pieces =
      command
          .add_option("--sentencepiece-model", files.sentencepiece_model,
                      "Instead of codes; default: sentencepiece.bpe.model beside it, if there")
          ->group(group)
          ->excludes(codes);
  auto* kind = choose(command.add_option("--bpe", files.bpe,
                                         "What must segment texts; default: what there is"),
                      {"subword_nmt", "fastbpe", "sentencepiece"})
                   ->group(group);
  command.add_flag("--no-bpe", files.no_bpe, "Texts are segmented already")
      ->group(group)
      ->excludes(codes)
      ->excludes(pieces)
      ->excludes(kind);
  files.warn = [](const std::string& warning) { terminal_events().say("warning: " + warning); };
}

void add_model(CLI::App& command, ModelOptions& options) {
  command.add_option("MODEL", options.path, "Model: .pt (fairseq), .h5, .safetensors or .ltz")
      ->required();
  add_vocabulary_files(command, options.vocabulary);
}

void TextOptions::require() const {
  if (!given()) {
    throw CLI::RequiredError("--src and --ref, or for a language model --text,");
  }
}

void TextOptions::require_matches(const ModelConfig& config) const {
  if (is_language_model(config) ? !source.empty() : !text.empty()) {
    throw CLI::ValidationError(is_language_model(config)
                                   ? "the model is a language model: name a --text, no --src"
                                   : "the model translates: name --src and --ref, no --text");
  }
}

eval::ParallelText TextOptions::read() const {
  if (!text.empty()) {
    std::vector<std::string> lines = read_text(text);
    return {std::vector<std::string>(lines.size()), std::move(lines)};
  }
  eval::ParallelText text{read_text(source), read_lines(reference)};
  if (text.source.size() != text.reference.size()) {
    throw ConfigError(reference + ": expected " + std::to_string(text.source.size()) +
                      " lines, as many as " + source + ", found " +
                      std::to_string(text.reference.size()));
  }
  return text;
}

void add_text(CLI::App& command, TextOptions& options, const std::string& prefix) {
  const bool development = prefix == "dev-";
  auto* source = command.add_option("--" + prefix + "src", options.source,
                                    development ? "Development set: the best model on it is kept"
                                                : "Source text: tokenized, one sentence a line");
  auto* reference =
      command.add_option("--" + prefix + "ref", options.reference,
                         development ? "Its references" : "Its reference translation");
  auto* text = command.add_option(
      "--" + prefix + "text", options.text,
      development ? "Development set of a language model" : "Text of a language model, instead");
  source->needs(reference)->excludes(text);
  reference->needs(source)->excludes(text);
}

void add_beam(CLI::App& command, BeamOptions& options) {
  const auto* group = "Beam search";
  command.add_option("--beam", options.beam, "Beams")->check(between(1, 1000))->group(group);
  command.add_option("--lenpen", options.lenpen, "Length penalty: score / length^LENPEN")
      ->group(group);
  command.add_option("--max-len-a", options.max_len_a, "Longest output: A * source length + B")
      ->check(at_least(0))
      ->group(group);
  command.add_option("--max-len-b", options.max_len_b, "B of --max-len-a")
      ->check(at_least(0))
      ->group(group);
  command.add_option("--min-len", options.min_len, "Shortest output, in tokens")
      ->check(at_least(0))
      ->group(group);
  command
      .add_option("--no-repeat-ngram-size", options.no_repeat_ngram_size,
                  "No N tokens in a row twice in an output; 0: no limit")
      ->check(at_least(0))
      ->group(group);
}

void add_precision(CLI::App& command, Arithmetic& arithmetic) {
  const std::string float32(to_string(Arithmetic::kFloat32));
  const std::string int8(to_string(Arithmetic::kInt8));
  choose(
      command.add_option_function<std::string>(
          "--precision",
          [&arithmetic, int8](const std::string& name) {
            arithmetic = name == int8 ? Arithmetic::kInt8 : Arithmetic::kFloat32;
          },
          "What matrix products are computed in: float32, or int8, which is faster and differs a "
          "little"),
      {float32, int8})
      ->default_str(float32);
}

void add_json(CLI::App& command, JsonOptions& options) {
  // A flag takes a value only behind "=": what comes after a bare --json is another argument.
  command
      .add_flag("--json{-}", options.path,
                "Report as JSON on standard output, or with --json=FILE to this file")
      ->type_name("[=FILE]");
}

void add_gates(CLI::App& command, GateOptions& options) {
  const auto* group = "Gates";
  eval::GateLimits& limits = options.limits;
  command
      .add_option_function<std::vector<std::string>>(
          "--min-ratio",
          [&limits](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              try {
                limits.min_ratios.push_back(eval::parse_ratio_limit(text));
              } catch (const ConfigError& error) {
                throw CLI::ValidationError("--min-ratio", error.what());
              }
            }
          },
          "Smallest compression ratio: file=R, model=R or paper=R")
      ->type_name("WHICH=R")
      ->take_all()
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--max-bits", limits.max_bits, "Most bits per weight, without embeddings")
      ->check(above(0))
      ->group(group);
  command
      .add_option(
          "--max-bytes", limits.max_bytes,
          "Largest size of the artifact, such as 900000, 900KB (of 1000) or 1.5MiB (of 1024)")
      ->type_name("BYTES")
      ->transform(as_bytes())
      ->group(group);
  command.add_option("--max-bleu-drop", limits.max_bleu_drop, "Largest loss of BLEU")
      ->check(between(-100, 100))
      ->group(group);
  command.add_option("--min-bleu", limits.min_bleu, "Smallest BLEU")
      ->check(between(0, 100))
      ->group(group);
  command
      .add_option("--max-nll-increase", limits.max_nll_increase,
                  "Largest growth of the references' NLL, in nats per token")
      ->group(group);
  const auto add_percentage = [&](const std::string& name, std::optional<double>& limit,
                                  const std::string& description) {
    command
        .add_option_function<std::string>(
            name,
            [&limit, name](const std::string& text) {
              try {
                limit = eval::parse_percentage(text);
              } catch (const ConfigError& error) {
                throw CLI::ValidationError(name, error.what());
              }
            },
            description)
        ->type_name("P%")
        ->group(group);
  };
  add_percentage("--max-ppl-increase", limits.max_ppl_increase,
                 "Largest growth of the perplexity, such as 1.5%");
  add_percentage(
      "--max-growth", limits.max_growth,
      "Bytes and NLL may grow by this since --previous, and BLEU fall by it, such as 1%");
  command
      .add_option("--baseline", options.baseline,
                  "What the paper ratio is relative to: a number of parameters, or as MODEL of "
                  "`ltz inspect` (a preset's name is never a file)")
      ->default_str("transformer-base")
      ->type_name("N|MODEL")
      ->group(group);
}

std::vector<double> parse_range(const std::string& text) {
  std::vector<double> values;
  const std::vector<std::string> bounds = split(text, ':');
  if (bounds.size() == 2 || bounds.size() == 3) {
    const double first = parse_number(bounds[0], text);
    const double last = parse_number(bounds[1], text);
    const double step = bounds.size() == 3 ? parse_number(bounds[2], text) : 1.0;
    if (step <= 0.0 || last < first || (last - first) / step > 1000.0) {
      throw CLI::ValidationError("expected FIRST:LAST:STEP with a positive step, found " + text);
    }
    // Half a step of tolerance, so that 0.1:0.9:0.1 ends with 0.9 in spite of rounding.
    for (int i = 0; first + i * step < last + step / 2; ++i) {
      values.push_back(std::round((first + i * step) * 1e9) / 1e9);
    }
    return values;
  }
  for (const std::string& part : split(text, ',')) {
    values.push_back(parse_number(part, text));
  }
  return values;
}

}  // namespace ltz::cli
