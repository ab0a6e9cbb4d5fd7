#include <fmt/format.h>
#include <omp.h>

#include <cstdio>
#include <exception>
#include <new>

#include "cli/commands.h"
#include "model/error.h"

namespace ltz::cli {
namespace {

void setup_commands(CLI::App& app, Action& action) {
  setup_inspect(app, action);
  setup_convert(app, action);
  setup_sensitivity(app, action);
  setup_prune(app, action);
  setup_quantize(app, action);
  setup_pack(app, action);
  setup_unpack(app, action);
  setup_compress(app, action);
  setup_translate(app, action);
  setup_score(app, action);
  setup_eval(app, action);
  setup_verify(app, action);
}

int fail(const char* message) {
  fmt::print(stderr, "ltz: {}\n", message);
  return kBadInput;
}

int run(int argc, char** argv) {
  CLI::App app("Compresses trained Lite Transformers and proves that they still translate.", "ltz");
  app.set_version_flag("--version", "ltz " LTZ_VERSION);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.footer(
      "Example:\n"
      "  ltz compress checkpoint.pt -o model.ltz --src dev.en --ref dev.fr\n"
      "Exit codes: 0 done or gate passed, 1 gate failed, 2 usage, 3 bad input or I/O.");
  Action action;
  int threads = omp_get_num_procs();
  setup_commands(app, action);
  for (CLI::App* command : app.get_subcommands({})) {
    command->add_option("--threads", threads, "Threads to use")->check(CLI::Range(1, 4096));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  omp_set_num_threads(threads);
  const int exit_code = action();
  // A full disk or a closed pipe shows only when the buffer is written.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return fail("cannot write to standard output");
  }
  return exit_code;
}

}  // namespace
}  // namespace ltz::cli

int main(int argc, char** argv) {
  try {
    return ltz::cli::run(argc, argv);
  } catch (const CLI::ParseError& error) {  // options that only together make no sense
    ltz::cli::fail(error.what());
    return ltz::cli::kUsage;
  } catch (const ltz::Error& error) {
    return ltz::cli::fail(error.what());
  } catch (const std::bad_alloc&) {
    return ltz::cli::fail("out of memory");
  } catch (const std::exception& error) {
    return ltz::cli::fail(error.what());
  }
}
