#include <fmt/format.h>
#include <omp.h>

#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/commands/commands.h"
#include "cli/options/files.h"
#include "cli/reports/promised_reports.h"
#include "cli/terminal/terminal.h"

namespace ltz::cli {
namespace {

void setup_commands(CLI::App& app, Action& action) {
  setup_inspect(app, action);
  setup_convert(app, action);
  setup_sensitivity(app, action);
  setup_prune(app, action);
  setup_quantize(app, action);
  setup_finetune(app, action);
  setup_pack(app, action);
  setup_unpack(app, action);
  setup_compress(app, action);
  setup_translate(app, action);
  setup_score(app, action);
  setup_eval(app, action);
  setup_verify(app, action);
  setup_bench(app, action);
}

// What CLI11 lets through: "nan" is in every range, and -1 is a large unsigned number.
std::string check_number(const std::string& type, const std::string& text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && !std::isfinite(value)) {
    return "expected a finite number, found " + text;
  }
  if (type.starts_with("UINT") && text.starts_with('-')) {
    return "expected a number of at least 0, found " + text;
  }
  return "";
}

void check_numbers(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const std::string type = option->get_type_name();
    if (type.starts_with("FLOAT") || type.starts_with("UINT")) {
      option->check([type](const std::string& text) { return check_number(type, text); });
    }
  }
}

// CLI11 only says that a command is missing, also where one was misspelt.
int fail_usage(const CLI::App& app, const CLI::ParseError& error, const PromisedReports& reports) {
  const std::vector<std::string> unknown = app.remaining();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && app.get_subcommands().empty() &&
      !unknown.empty()) {
    return fail_usage(app,
                      CLI::ValidationError(fmt::format(
                          "unknown {} {}", unknown.front().starts_with("-") ? "option" : "command",
                          printable(unknown.front()))),
                      reports);
  }
  const int status = app.exit(error) == 0 ? kDone : kUsage;
  if (status != kDone) {
    reports.write_error(error.what(), status);
  }
  return status;
}

int fail(const char* message, const PromisedReports& reports, int status = kBadInput) {
  fmt::print(stderr, "ltz: {}\n", printable(message));
  reports.write_error(message, status);
  return status;
}

// A full disk or a closed pipe shows only when the buffer is written.
int flushed(int exit_code, const PromisedReports& reports) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return fail("cannot write to standard output", reports);
  }
  return exit_code;
}

int run(int argc, char** argv, const PromisedReports& reports) {
  CLI::App app("Compresses trained Lite Transformers and proves that they still translate.", "ltz");
  app.set_version_flag("--version", "ltz " LTZ_VERSION);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.footer(
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr\n"
      "Exit codes: 0 done or gate passed, 1 gate failed, 2 usage, 3 bad input or I/O.");
  Action action;
  int threads = omp_get_max_threads();
  bool replace_any = false;
  setup_commands(app, action);
  for (CLI::App* command : app.get_subcommands({})) {
    command->add_option("--threads", threads, "Threads to use")->check(CLI::Range(1, 4096));
    command->add_flag("-f,--force", replace_any, "Let outputs replace files of any kind");
    check_numbers(*command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return flushed(fail_usage(app, error, reports), reports);
  }
  omp_set_num_threads(threads);
  if (replace_any) {
    Files::replace_any();
  }
  return flushed(action(), reports);
}

}  // namespace
}  // namespace ltz::cli

int main(int argc, char** argv) {
  // A file above the limit of its size is an error of write(), whose cleaning up is to happen.
  std::signal(SIGXFSZ, SIG_IGN);
  const ltz::cli::PromisedReports reports(argc, argv);
  try {
    return ltz::cli::run(argc, argv, reports);
  } catch (const CLI::ParseError& error) {  // options that only together make no sense
    return ltz::cli::fail(error.what(), reports, ltz::cli::kUsage);
  } catch (const std::bad_alloc&) {
    return ltz::cli::fail("out of memory", reports);
  } catch (const std::exception& error) {
    return ltz::cli::fail(error.what(), reports);
  }
}
