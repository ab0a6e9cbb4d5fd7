#include <cstdio>

#include "eval/budget/accounting.h"
#include "formats/models/model_file.h"

// What a program that uses the libraries looks like.
int main(int, char** argv) {
  const ltz::formats::ModelFile file = ltz::formats::read_model(argv[1], {});
  const auto counts = ltz::eval::count_parameters(file.checkpoint.config);
  std::printf("%lld parameters\n", static_cast<long long>(counts.total));
  return counts.total > 0 ? 0 : 1;
}
