// Compresses a model and verifies it with the installed libraries, as `ltz compress` and `ltz
// verify` do:
//
//   compress MODEL SOURCE OUT.ltz      SOURCE: text to calibrate on, tokenized, one sentence a line
#include <cstdio>
#include <exception>
#include <fstream>

#include "cli/pipeline/compress.h"
#include "formats/files/file.h"

int main(int, char** argv) {
  try {
    const ltz::Checkpoint model = ltz::formats::read_model(argv[1], {}).checkpoint;
    ltz::pipeline::CompressInputs inputs{.checkpoint = model};
    std::ifstream source(argv[2]);
    for (std::string line; std::getline(source, line);) {
      inputs.calibration.push_back(line);
    }
    const ltz::pipeline::CompressOptions options{.recipe = ltz::compress::preset("max")};
    const ltz::pipeline::Events events{
        .message = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }};
    ltz::formats::write_file_atomically(argv[3],
                                        ltz::pipeline::compress_model(inputs, options, events));

    const auto found = ltz::pipeline::verify(ltz::formats::read_model(argv[3], {}), argv[3],
                                             {.checkpoint = model, .text = inputs.development},
                                             {.limits = {.max_bytes = 1'000'000}});
    std::printf("%.2fx\n", found.measured.size.file_ratio);
    return found.passed() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
