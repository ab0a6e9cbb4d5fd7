#include "compress/sensitivity/pattern.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

using Names = std::vector<std::string>;

// Those of tiny_checkpoint with this many layers in each stack.
std::vector<ParameterSpec> tiny_specs(int layers) {
  ModelConfig config = tiny_checkpoint(1).config;
  for (StackConfig* stack : {&config.encoder, &config.decoder}) {
    stack->layers = layers;
    stack->kernel_sizes.assign(static_cast<std::size_t>(layers), 3);
  }
  return parameter_specs(config);
}

bool of_a_kind(const std::string& group) {
  return group.starts_with("encoder.layers.*.") || group.starts_with("decoder.layers.*.");
}

}  // namespace

TEST_CASE("patterns match whole names") {
  CHECK(matches("", ""));
  CHECK(matches("*", ""));
  CHECK(matches("*", "encoder.layers.0.fc1.weight"));
  CHECK(matches("encoder.layers.0.fc1.weight", "encoder.layers.0.fc1.weight"));
  CHECK(matches("decoder.*.encoder_attn.*", "decoder.layers.3.encoder_attn.q_proj.weight"));
  CHECK(matches("*.fc?.weight", "encoder.layers.0.fc2.weight"));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches("fc1", "encoder.layers.0.fc1.weight"));
  CHECK_FALSE(matches("fc1", "fc1.weight"));
  CHECK_FALSE(matches("fc1.weight", "fc1"));
  CHECK_FALSE(matches("encoder.layers.1.*", "encoder.layers.10.fc1.weight"));
}

TEST_CASE("a star takes as much as the rest of the pattern leaves it") {
  CHECK(matches("a*b*c", "a-b-b-c"));
  CHECK(matches("a*b*c", "abc"));
  CHECK(matches("*aab", "aaaab"));
  CHECK(matches("***", "ab"));
  CHECK(matches("ab**", "ab"));
  CHECK(matches("*a*", "a"));
  CHECK_FALSE(matches("a*b", "abc"));
  CHECK_FALSE(matches("a*a", "a"));
  CHECK_FALSE(matches("*ab*ab", "xabx"));
}

TEST_CASE("a question mark takes exactly one character, and other signs stand for themselves") {
  CHECK(matches("??", "ab"));
  CHECK(matches("*?", "a"));
  CHECK(matches("?*?", "ab"));
  CHECK(matches("a?c", "a?c"));
  CHECK(matches("a*", "a*b"));
  CHECK_FALSE(matches("?", ""));
  CHECK_FALSE(matches("??", "a"));
  CHECK_FALSE(matches("?*?", "a"));
  CHECK_FALSE(matches("fc?", "fc"));
  CHECK_FALSE(matches("a.c", "abc"));
  CHECK_FALSE(matches("[ab]", "a"));
}

TEST_CASE("members are the matrices and tables that match, in the model's order") {
  const std::vector<ParameterSpec> specs = tiny_specs(2);
  CHECK(members_of("*.1.fc*", specs) ==
        Names{"encoder.layers.1.fc1.weight", "encoder.layers.1.fc2.weight",
              "decoder.layers.1.fc1.weight", "decoder.layers.1.fc2.weight"});
  CHECK(members_of("*embed*", specs) ==
        Names{"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"});
  // The branch's kernel and its biases are not among them.
  CHECK(members_of("decoder.layers.0.self_attn.branches.1.*", specs) ==
        Names{"decoder.layers.0.self_attn.branches.1.linear1.weight",
              "decoder.layers.0.self_attn.branches.1.linear2.weight"});
  CHECK(members_of("*.bias", specs).empty());
  CHECK(members_of("*_layer_norm.weight", specs).empty());
  CHECK(members_of("", specs).empty());
  CHECK(members_of("*", {}).empty());
}

TEST_CASE("single tensors are all matrices and tables") {
  const std::vector<ParameterSpec> specs = tiny_specs(1);
  Names expected;
  for (const ParameterSpec& spec : specs) {
    CHECK(is_weight(spec) == (spec.role == Role::kMatrix || spec.role == Role::kTable));
    if (is_weight(spec)) {
      expected.push_back(spec.name);
    }
  }
  CHECK(single_tensors(specs) == expected);
  for (const std::string& name : expected) {
    CHECK(members_of(name, specs) == Names{name});
  }
  CHECK(single_tensors({}).empty());
}

TEST_CASE("every matrix is in one group of its kind and one of its layer, every table by itself") {
  // With eleven layers, that of layer 1 must not take in layer 10.
  for (const int layers : {1, 2, 11}) {
    const std::vector<ParameterSpec> specs = tiny_specs(layers);
    const Names groups = sensitivity_groups(specs);
    CHECK(std::set<std::string>(groups.begin(), groups.end()).size() == groups.size());
    for (const ParameterSpec& spec : specs) {
      if (!is_weight(spec)) {
        continue;
      }
      Names kinds;
      Names others;
      for (const std::string& group : groups) {
        if (matches(group, spec.name)) {
          (of_a_kind(group) ? kinds : others).push_back(group);
        }
      }
      INFO(spec.name);
      if (spec.role == Role::kTable) {
        CHECK(kinds.empty());
        CHECK(others == Names{spec.name});
        continue;
      }
      const std::string stack = spec.stack == Stack::kEncoder ? "encoder" : "decoder";
      CHECK(kinds.size() == 1);
      CHECK(others == Names{stack + ".layers." + std::to_string(spec.layer) + ".*"});
    }
  }
}

TEST_CASE("a kind has the same matrix of every layer of its stack") {
  const std::vector<ParameterSpec> specs = tiny_specs(3);
  const Names groups = sensitivity_groups(specs);
  std::size_t kinds = 0;
  for (const std::string& group : groups) {
    if (!of_a_kind(group)) {
      continue;
    }
    ++kinds;
    Names expected;
    for (const char layer : {'0', '1', '2'}) {
      std::string name = group;
      name[group.find('*')] = layer;
      expected.push_back(name);
    }
    CHECK(members_of(group, specs) == expected);
  }
  // Attention, convolution and feed-forward: 4 + 3 + 2, and 4 + 2 + 4 across + 2.
  CHECK(kinds == 9 + 12);
  CHECK(groups.size() == kinds + 2 * 3 + 2);
  // Kinds, then layers, then tables.
  CHECK(std::ranges::is_partitioned(groups, of_a_kind));
  CHECK(groups[0] == "encoder.layers.*.self_attn.branches.0.q_proj.weight");
  CHECK(groups[kinds] == "encoder.layers.0.*");
  CHECK(groups.back() == "decoder.embed_tokens.weight");
  CHECK(sensitivity_groups({}).empty());
}
