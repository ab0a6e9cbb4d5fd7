#include "compress/sensitivity/pattern.h"

#include <algorithm>

namespace ltz::compress {

namespace {

void add_once(std::vector<std::string>& patterns, std::string pattern) {
  if (std::ranges::find(patterns, pattern) == patterns.end()) {
    patterns.push_back(std::move(pattern));
  }
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  // The usual greedy match: on a mismatch the last * takes one character more.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool in_layers(std::string_view name) {
  return matches(kAllLayers, name);
}

bool is_weight(const ParameterSpec& spec) {
  return spec.role == Role::kMatrix || spec.role == Role::kTable;
}

std::vector<std::string> members_of(std::string_view pattern,
                                    const std::vector<ParameterSpec>& specs) {
  std::vector<std::string> members;
  for (const ParameterSpec& spec : specs) {
    if (is_weight(spec) && matches(pattern, spec.name)) {
      members.push_back(spec.name);
    }
  }
  return members;
}

std::vector<std::string> single_tensors(const std::vector<ParameterSpec>& specs) {
  return members_of("*", specs);
}

std::vector<std::string> sensitivity_groups(const std::vector<ParameterSpec>& specs) {
  std::vector<std::string> kinds;
  std::vector<std::string> layers;
  std::vector<std::string> tables;
  for (const ParameterSpec& spec : specs) {
    if (spec.role == Role::kMatrix && spec.layer >= 0) {
      const std::string layer = std::to_string(spec.layer);
      const std::string prefix =
          spec.stack == Stack::kEncoder ? "encoder.layers." : "decoder.layers.";
      add_once(kinds, prefix + "*" + spec.name.substr(prefix.size() + layer.size()));
      add_once(layers, prefix + layer + ".*");
    } else if (is_weight(spec)) {
      tables.push_back(spec.name);
    }
  }
  kinds.insert(kinds.end(), layers.begin(), layers.end());
  kinds.insert(kinds.end(), tables.begin(), tables.end());
  return kinds;
}

}  // namespace ltz::compress
