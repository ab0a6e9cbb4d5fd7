#include "formats/records/sensitivity_csv.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kTitle = "# ltz sensitivity 1";
constexpr std::string_view kMetric = "# metric ";
constexpr std::string_view kBaseline = "# baseline ";
constexpr std::string_view kMeasured = "# measured ";
constexpr std::string_view kColumns =
    "group,knob,setting,threshold,relative_error,context_error,quality";

// The lines of a text, one after the other, with what is needed to complain about them.
class LineReader {
 public:
  LineReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool next() {
    const std::size_t end = text_.find('\n');
    if (end == std::string_view::npos) {
      return false;
    }
    line_ = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    ++number_;
    return true;
  }

  std::string_view line() const { return line_; }

  [[noreturn]] void fail(std::string_view expected) const {
    throw FormatError(
        fmt::format("{}:{}: expected {}, found \"{}\"", name_, number_, expected, line_));
  }

  // The rest of the next line, which must begin with the prefix.
  std::string_view after(std::string_view prefix) {
    if (!next() || !line_.starts_with(prefix)) {
      fail(fmt::format("\"{}\"", prefix));
    }
    return line_.substr(prefix.size());
  }

  double number(std::string_view text) const {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      fail("a number");
    }
    return value;
  }

 private:
  std::string_view text_;
  const std::string& name_;
  std::string_view line_;
  int number_ = 0;
};

compress::SensitivityPoint parse_point(const LineReader& reader) {
  std::array<std::string_view, 7> fields;
  std::string_view rest = reader.line();
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const std::size_t comma = rest.find(',');
    if ((comma == std::string_view::npos) != (f + 1 == fields.size())) {
      reader.fail("seven fields");
    }
    fields[f] = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (fields[1] != "sparsity" && fields[1] != "bits") {
    reader.fail("sparsity or bits");
  }
  return {.group = std::string(fields[0]),
          .knob = fields[1] == "bits" ? compress::Knob::kBits : compress::Knob::kSparsity,
          .setting = reader.number(fields[2]),
          .threshold = reader.number(fields[3]),
          .relative_error = reader.number(fields[4]),
          .context_error = reader.number(fields[5]),
          .quality = reader.number(fields[6])};
}

}  // namespace

std::string sensitivity_header(const SensitivityFile& file) {
  return fmt::format("{}\n{}{}\n{}{}\n{}{}\n{}\n", kTitle, kMetric, file.curves.metric, kBaseline,
                     file.curves.baseline, kMeasured, file.measured, kColumns);
}

std::string sensitivity_line(const compress::SensitivityPoint& point) {
  return fmt::format("{},{},{},{},{},{},{}\n", point.group,
                     point.knob == compress::Knob::kBits ? "bits" : "sparsity", point.setting,
                     point.threshold, point.relative_error, point.context_error, point.quality);
}

SensitivityFile parse_sensitivity(std::string_view text, const std::string& name) {
  LineReader reader(text, name);
  SensitivityFile file;
  reader.after(kTitle);
  file.curves.metric = reader.after(kMetric);
  file.curves.baseline = reader.number(reader.after(kBaseline));
  file.measured = reader.after(kMeasured);
  reader.after(kColumns);
  while (reader.next()) {
    file.curves.points.push_back(parse_point(reader));
  }
  return file;
}

}  // namespace ltz::formats
