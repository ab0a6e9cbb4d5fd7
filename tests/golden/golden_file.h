#pragma once

#include <H5Cpp.h>

#include <string>
#include <vector>

// Reads the golden outputs of the reference implementation (see tests/golden/README.md).
namespace ltz::test {

struct GoldenHypothesis {
  std::vector<int> tokens;
  std::vector<float> positional_scores;
  double score = 0.0;
};

class GoldenFile {
 public:
  explicit GoldenFile(const std::string& path) : file_(path, H5F_ACC_RDONLY) {}

  int sentences() const;
  bool has(const std::string& name) const { return file_.nameExists(name); }
  // An attribute of a group, of the root with "".
  double number(const std::string& group, const std::string& attribute) const;
  // Names of the groups in this group.
  std::vector<std::string> groups(const std::string& group) const;
  std::vector<int> tokens(const std::string& dataset) const;
  std::vector<float> floats(const std::string& dataset) const;
  // Groups of one sentence such as "beam4_lenpen0.6_maxlen0x+50".
  std::vector<std::string> searches(const std::string& sentence) const;
  std::vector<GoldenHypothesis> hypotheses(const std::string& group) const;

 private:
  H5::H5File file_;
};

}  // namespace ltz::test
