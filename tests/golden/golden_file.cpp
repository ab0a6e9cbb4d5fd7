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

double GoldenFile::number(const std::string& group, const std::string& attribute) const {
  double value = 0.0;
  file_.openGroup("/" + group).openAttribute(attribute).read(H5::PredType::NATIVE_DOUBLE, &value);
  return value;
}

std::vector<std::string> GoldenFile::groups(const std::string& group) const {
  const H5::Group opened = file_.openGroup(group);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < opened.getNumObjs(); ++i) {
    if (opened.getObjTypeByIdx(i) == H5G_GROUP) {
      names.push_back(opened.getObjnameByIdx(i));
    }
  }
  return names;
}

std::vector<std::string> GoldenFile::searches(const std::string& sentence) const {
  std::vector<std::string> names = groups(sentence);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("beam"); });
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
