#include "cli/reports/gate_text.h"

#include <fmt/format.h>

namespace ltz::cli {
namespace {

int digits_for(const eval::Gate& gate) {
  if (gate.name == "max-bytes") {
    return 0;
  }
  constexpr int kMost = 9;
  int digits = gate.name == "max-nll-increase" ? 4 : 2;
  while (digits < kMost && gate.value != gate.limit &&
         fmt::format("{:.{}f}", gate.value, digits) == fmt::format("{:.{}f}", gate.limit, digits)) {
    ++digits;
  }
  return digits;
}

std::string decided_by(const eval::Gate& gate, int digits) {
  if (gate.interval) {
    return fmt::format("; interval {:.{}f} to {:.{}f}", gate.interval->low, digits,
                       gate.interval->high, digits);
  }
  return gate.name.find("bleu") == std::string::npos ? "" : "; point estimate";
}

}  // namespace

std::string gate_text(const eval::Gate& gate) {
  const int digits = digits_for(gate);
  const char* unit = gate.percent ? "%" : "";
  return fmt::format("{} {:.{}f}{} (limit: {} {:.{}f}{}{})", gate.name, gate.value, digits, unit,
                     gate.upper ? "at most" : "at least", gate.limit, digits, unit,
                     decided_by(gate, digits));
}

}  // namespace ltz::cli
