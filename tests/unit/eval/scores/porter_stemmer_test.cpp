#include "eval/scores/porter_stemmer.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

namespace ltz::eval {
namespace {

void check(const std::map<std::string, std::string>& stems) {
  for (const auto& [word, stem] : stems) {
    CAPTURE(word);
    CHECK(porter_stem(word) == stem);
  }
}

}  // namespace

// Porter 1980, the examples of each step, with what the later steps make of them.
TEST_CASE("the stems of Porter's paper") {
  check(
      {{"caresses", "caress"}, {"ponies", "poni"},    {"ties", "ti"},     {"caress", "caress"},
       {"cats", "cat"},        {"feed", "feed"},      {"agreed", "agre"}, {"plastered", "plaster"},
       {"bled", "bled"},       {"motoring", "motor"}, {"sing", "sing"},   {"conflated", "conflat"},
       {"troubled", "troubl"}, {"sized", "size"},     {"hopping", "hop"}, {"tanned", "tan"},
       {"falling", "fall"},    {"hissing", "hiss"},   {"fizzed", "fizz"}, {"failing", "fail"},
       {"filing", "file"},     {"happy", "happi"},    {"sky", "sky"}});
  check({{"relational", "relat"},   {"conditional", "condit"},     {"rational", "ration"},
         {"valenci", "valenc"},     {"hesitanci", "hesit"},        {"digitizer", "digit"},
         {"radicalli", "radic"},    {"differentli", "differ"},     {"vileli", "vile"},
         {"analogousli", "analog"}, {"vietnamization", "vietnam"}, {"predication", "predic"},
         {"operator", "oper"},      {"feudalism", "feudal"},       {"decisiveness", "decis"},
         {"hopefulness", "hope"},   {"callousness", "callous"},    {"formaliti", "formal"},
         {"sensitiviti", "sensit"}, {"sensibiliti", "sensibl"}});
  check({{"triplicate", "triplic"},
         {"formative", "form"},
         {"formalize", "formal"},
         {"electriciti", "electr"},
         {"electrical", "electr"},
         {"hopeful", "hope"},
         {"goodness", "good"}});
  check({{"revival", "reviv"},
         {"allowance", "allow"},
         {"inference", "infer"},
         {"airliner", "airlin"},
         {"gyroscopic", "gyroscop"},
         {"adjustable", "adjust"},
         {"defensible", "defens"},
         {"irritant", "irrit"},
         {"replacement", "replac"},
         {"adjustment", "adjust"},
         {"dependent", "depend"},
         {"adoption", "adopt"},
         {"homologou", "homolog"},
         {"communism", "commun"},
         {"activate", "activ"},
         {"angulariti", "angular"},
         {"homologous", "homolog"},
         {"effective", "effect"},
         {"bowdlerize", "bowdler"}});
  check({{"probate", "probat"},
         {"rate", "rate"},
         {"cease", "ceas"},
         {"controll", "control"},
         {"roll", "roll"}});
}

TEST_CASE("the stems where ROUGE-1.5.5 is different") {
  check({{"conditioner", "condit"},
         {"confessional", "confess"},
         {"technology", "technolog"},
         {"technological", "technolog"},
         {"possibly", "possibl"},
         {"element", "elem"}});
}

TEST_CASE("a y is a vowel after a consonant, and any word has a stem") {
  check({{"yyyy", "yyyi"},
         {"syzygy", "syzygi"},
         {"played", "plai"},
         {"2021s", "2021"},
         {"ssss", "ssss"},
         {"eing", "e"},
         {"ement", "ement"}});
  const std::string longest(1 << 20, 'y');
  CHECK(porter_stem(longest).size() == longest.size());
}

}  // namespace ltz::eval
