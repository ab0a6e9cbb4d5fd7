#include "golden_file.h"

namespace ltz::test {
namespace {

template <typename Value>
std::vector<Value> read(const H5::H5File& file, const std::string& name, const H5::PredType& type) {
  const H5::DataSet dataset = file.openDataSet(name);
  std::vector<Value> values(static_cast<std::size_t>(dataset.getSpace().getSimpleExtentNpoints()));
  dataset.read(values.data(), type);
  return values;
}

}  // namespace

int GoldenFile::sentences() const {
  int count = 0;
  while (file_.nameExists("sentence" + std::to_string(count))) {
    ++count;
  }
  return count;
}

std::vector<int> GoldenFile::tokens(const std::string& dataset) const {
  return read<int>(file_, dataset, H5::PredType::NATIVE_INT);
}

std::vector<float> GoldenFile::floats(const std::string& dataset) const {
  return read<float>(file_, dataset, H5::PredType::NATIVE_FLOAT);
}

std::vector<std::string> GoldenFile::searches(const std::string& sentence) const {
  const H5::Group group = file_.openGroup(sentence);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < group.getNumObjs(); ++i) {
    const std::string name = group.getObjnameByIdx(i);
    if (name.starts_with("beam")) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<GoldenHypothesis> GoldenFile::hypotheses(const std::string& group) const {
  std::vector<GoldenHypothesis> hypotheses;
  for (std::string name = group + "/hyp0"; file_.nameExists(name);
       name = group + "/hyp" + std::to_string(hypotheses.size())) {
    GoldenHypothesis hypothesis{tokens(name + "/tokens"), floats(name + "/positional_scores")};
    file_.openGroup(name).openAttribute("score").read(H5::PredType::NATIVE_DOUBLE,
                                                      &hypothesis.score);
    hypotheses.push_back(std::move(hypothesis));
  }
  return hypotheses;
}

}  // namespace ltz::test
