#include "cli/reports/junit.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "cli/pipeline/fingerprint.h"
#include "cli/reports/gate_text.h"
#include "cli/terminal/terminal.h"

namespace ltz::cli {
namespace {

std::string escape_xml(const std::string& text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data()
                                                                           : "localhost";
}

using Properties = std::vector<std::pair<std::string, std::string>>;

struct Suite {
  std::size_t tests = 0;
  std::ptrdiff_t failures = 0;
  int errors = 0;
  double seconds = 0.0;
  Properties properties;
  std::string cases;
  std::string output;
};

// Ant's schema wants everything that is written here, in this order; Jenkins' accepts it.
std::string to_xml(const Suite& suite) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"ltz verify\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\" "
      "timestamp=\"{:%Y-%m-%dT%H:%M:%S}\" hostname=\"{}\">\n  <properties>\n",
      suite.tests, suite.failures, suite.errors, suite.seconds, fmt::gmtime(now),
      escape_xml(host_name()));
  for (const auto& [name, value] : suite.properties) {
    xml += fmt::format("    <property name=\"{}\" value=\"{}\"/>\n", escape_xml(name),
                       escape_xml(value));
  }
  return xml + "  </properties>\n" + suite.cases + "  <system-out>" + suite.output +
         "</system-out>\n  <system-err></system-err>\n</testsuite>\n";
}

// content: XML inside of the test case; none where it passed.
std::string test_case(const std::string& name, const std::string& content) {
  const std::string start = fmt::format(
      "  <testcase classname=\"ltz.verify\" name=\"{}\" time=\"0.000\"", escape_xml(name));
  return content.empty() ? start + "/>\n" : start + ">" + content + "</testcase>\n";
}

Properties measured_values(const eval::Measured& measured) {
  const eval::SizeReport& size = measured.size;
  Properties values = {{"ltz", pipeline::version()},
                       {"bytes", fmt::format("{}", size.bytes.artifact)},
                       {"ratio file", fmt::format("{}", size.file_ratio)},
                       {"ratio model", fmt::format("{}", size.model_ratio)},
                       {"ratio paper", fmt::format("{}", size.paper_ratio)},
                       {"bits per weight", fmt::format("{}", size.bits_per_weight)}};
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) {
      values.emplace_back(name, fmt::format("{}", *value));
    }
  };
  add("BLEU of the reference", measured.reference.bleu);
  add("BLEU of the artifact", measured.artifact.bleu);
  add("NLL of the reference", measured.reference.nll);
  add("NLL of the artifact", measured.artifact.nll);
  return values;
}

}  // namespace

std::string junit_of(const pipeline::Verification& report, double seconds) {
  Suite suite{
      .tests = report.gates.size(),
      .failures = std::ranges::count_if(report.gates, [](const auto& g) { return !g.passed; }),
      .errors = 0,
      .seconds = seconds,
      .properties = measured_values(report.measured),
      .cases = {},
      .output = {}};
  for (const eval::Gate& gate : report.gates) {
    const std::string line = escape_xml(gate_text(gate));
    suite.properties.emplace_back(gate.name, fmt::format("{}", gate.value));
    suite.properties.emplace_back(gate.name + " limit", fmt::format("{}", gate.limit));
    suite.cases += test_case(
        gate.name,
        gate.passed ? "" : fmt::format("<failure type=\"ltz.gate\" message=\"{}\"/>", line));
    suite.output += line + "\n";
  }
  return to_xml(suite);
}

std::string junit_of_error(const std::string& message, int exit_code) {
  return to_xml(
      {.tests = 1,
       .failures = 0,
       .errors = 1,
       .seconds = 0.0,
       .properties = {{"ltz", pipeline::version()}},
       .cases = test_case("ltz", fmt::format("<error type=\"ltz.exit{}\" message=\"{}\"/>",
                                             exit_code, escape_xml(message))),
       .output = ""});
}

}  // namespace ltz::cli
