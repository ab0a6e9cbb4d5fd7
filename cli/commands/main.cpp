#include <fmt/format.h>
#include <omp.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <sstream>
#include <system_error>

#include "cli/commands/commands.h"
#include "cli/commands/early.h"
#include "cli/options/command_line.h"
#include "cli/options/files.h"
#include "cli/options/help.h"
#include "cli/options/threads.h"
#include "cli/reports/promised_reports.h"
#include "cli/terminal/standard_streams.h"
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
  setup_generate(app, action);
  setup_score(app, action);
  setup_eval(app, action);
  setup_verify(app, action);
  setup_bench(app, action);
}

// Options of every command.
struct CommonOptions {
  int threads = omp_get_max_threads();
  bool quiet = false;
  bool no_progress = false;
  bool force = false;
};

void add_common(CLI::App& command, CommonOptions& options) {
  add_threads(command, options.threads);
  command.add_flag("--quiet", options.quiet, "Errors only on standard error");
  command.add_flag("--no-progress", options.no_progress, "No progress bars");
  command.add_flag("-f,--force", options.force, "Let outputs replace files of any kind");
}

// On standard error, and in the reports that were asked for.
int fail(const std::string& message, const PromisedReports& reports, int status = kBadInput) {
  write_to_stderr(fmt::format("ltz: {}\n", printable(message)));
  reports.write_error(message, status);
  return status;
}

int fail_output(const std::string& reason, const PromisedReports& reports) {
  return fail("standard output: cannot write: " + reason, reports);
}

// A full disk or a closed pipe shows only when the buffer is written.
int flushed(int exit_code, const PromisedReports& reports) {
  return std::fflush(stdout) != 0 || std::ferror(stdout) != 0
             ? fail_output(std::strerror(errno), reports)
             : exit_code;
}

int fail_usage(const CLI::App& app, const CLI::ParseError& error, const PromisedReports& reports) {
  if (error.get_exit_code() == 0) {  // --help, --version
    std::ostringstream text;
    app.exit(error, text, text);
    fmt::print("{}", text.str());
    return kDone;
  }
  const std::string message = explain(app, error);
  write_to_stderr(fmt::format("{}\nRun with --help for more information.\n", printable(message)));
  reports.write_error(message, kUsage);
  return kUsage;
}

int run(int argc, char** argv, const PromisedReports& reports) {
  CLI::App app("Compresses trained Lite Transformers and proves that they still translate.", "ltz");
  app.set_version_flag("--version", "ltz " LTZ_VERSION);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr\n"
      "Exit codes: 0 done or gate passed, 1 gate failed, 2 usage, 3 bad input or I/O.");
  Action action;
  setup_commands(app, action);
  CommonOptions options;
  for (CLI::App* command : app.get_subcommands({})) {
    add_common(*command, options);
    complete_options(*command);
  }
  setup_help(app, action);
  try {
    refuse_empty_values(
        std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return flushed(fail_usage(app, error, reports), reports);
  }
  set_verbosity({.messages = !options.quiet, .progress = !options.quiet && !options.no_progress});
  use_threads(options.threads);
  if (options.force) {
    Files::replace_any();
  }
  return flushed(action(), reports);
}

}  // namespace
}  // namespace ltz::cli

int main(int argc, char** argv) {
  ltz::cli::restore_interrupts();
  ltz::cli::take_standard_descriptors();
  // A file above the limit of its size is an error of write(), whose cleaning up is to happen.
  std::signal(SIGXFSZ, SIG_IGN);
  const ltz::cli::PromisedReports reports(argc, argv);
  try {
    return ltz::cli::run(argc, argv, reports);
  } catch (const CLI::ParseError& error) {  // options that only together make no sense
    return ltz::cli::fail(error.what(), reports, ltz::cli::kUsage);
  } catch (const std::bad_alloc&) {
    return ltz::cli::fail("out of memory", reports);
  } catch (const std::system_error& error) {
    // {fmt} does not know the name of the file that it prints to.
    return std::ferror(stdout) != 0 ? ltz::cli::fail_output(error.code().message(), reports)
                                    : ltz::cli::fail(error.what(), reports);
  } catch (const std::exception& error) {
    return ltz::cli::fail(error.what(), reports);
  }
}
