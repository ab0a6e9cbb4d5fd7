// libFuzzer's entry: fuzz --target=NAME [OPTIONS OF LIBFUZZER] CORPUS. With --seeds=FOLDER it
// writes good inputs there and ends; fuzz --target=all prints the names.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "formats/files/file.h"
#include "model/base/error.h"
#include "tests/fuzz/targets.h"

namespace {

const ltz::test::FuzzTarget* chosen = nullptr;

std::optional<std::string> option(int argc, char** argv, const std::string& name) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--" + name + "=")) {
      return argument.substr(name.size() + 3);
    }
  }
  return std::nullopt;
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const auto& seed : chosen->seeds()) {
    ltz::formats::write_file_atomically(folder / ("seed" + std::to_string(number++)), seed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string name = option(*argc, *argv, "target").value_or("all");
  if (name == "all") {
    for (const ltz::test::FuzzTarget& target : ltz::test::fuzz_targets()) {
      std::puts(std::string(target.name).c_str());
    }
    std::exit(0);
  }
  try {
    chosen = &ltz::test::fuzz_target(name);
    if (const auto folder = option(*argc, *argv, "seeds")) {
      write_seeds(*folder);
      std::exit(0);
    }
  } catch (const ltz::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ltz::test::fuzz_one(*chosen, std::as_bytes(std::span(data, size)));
  return 0;
}
