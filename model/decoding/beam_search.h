#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/layers/transformer.h"

namespace ltz {

struct BeamOptions {
  int beam = 4;
  double lenpen = 0.6;
  // A hypothesis has at most max_len_a * source length + max_len_b tokens before its </s> (source
  // length with </s>), and never more than the model's max_target_positions - 1.
  double max_len_a = 0.0;
  int max_len_b = 200;
  // Tokens before </s>. An error where it is more than a sentence's maximum; only 1, the default,
  // gives way to a maximum of 0.
  int min_len = 1;
  // A hypothesis has no n tokens in a row twice; 0: no limit.
  int no_repeat_ngram_size = 0;
};

struct Hypothesis {
  TokenIds tokens;                       // with the final </s>
  std::vector<float> positional_scores;  // log probability of each token
  double score = 0.0;                    // their sum / (number of tokens)^lenpen
};

// Beam search as fairseq's SequenceGenerator does it: 2 x beam candidates a step over all beams of
// a sentence, of which a finished one counts only among the first `beam`; a sentence ends when
// `beam` hypotheses are finished. What min_len and no_repeat_ngram_size forbid gets no probability,
// the rest keeps its own. Where they forbid every continuation of a sentence, its hypotheses end
// there.
//
// Sentences can be added between any two steps and leave when they are finished, so that there are
// always enough of them for fast products. A sentence's result does not depend on the others.
class BeamSearch {
 public:
  // Throws ConfigError for options out of range.
  BeamSearch(const Transformer& model, const BeamOptions& options);
  ~BeamSearch();

  // Each sentence has its </s>; indices: what `finished` is to call them. Throws ConfigError, and
  // adds none of them, when one is too long for the model. padded_length: see Transformer::encode.
  void add(std::span<const TokenIds> sentences, std::span<const std::size_t> indices,
           int padded_length = 0);
  // For a language model, instead: texts that the hypotheses begin with, without </s>. Their
  // tokens count in length and score, as if the search had found them; the length that max_len_a
  // multiplies is theirs, the token that texts start from included. Throws ConfigError, and adds
  // none of them, for a prompt longer than a hypothesis may be.
  void add_prompts(std::span<const TokenIds> prompts, std::span<const std::size_t> indices);
  // The number of sentences that are not finished.
  std::size_t sentences() const;

  // Called with at least 1 and at most `beam` hypotheses, best score first.
  using Finished = std::function<void(std::size_t sentence, std::vector<Hypothesis> hypotheses)>;
  // Makes all hypotheses of all sentences one token longer.
  void step(const Finished& finished);

 private:
  struct State;

  std::unique_ptr<State> state_;
};

// Whether a sentence has nothing but its </s>, as that of an empty line. The reference makes words
// up for it; whoever translates lines takes an_empty_translation() instead.
bool is_empty(const TokenIds& sentence);
// </s> with a score of 0.
Hypothesis an_empty_translation();

// Throws what BeamSearch would throw if it were given this sentence: ConfigError, as above.
void check_sentence(const Transformer& model, const TokenIds& sentence, const BeamOptions& options);

// The same for a language model's prompt.
void check_prompt(const Transformer& model, const TokenIds& prompt, const BeamOptions& options);

// Translates a batch of sentences, or for a language model goes on from prompts. Returns the
// hypotheses of each. Throws as BeamSearch does.
std::vector<std::vector<Hypothesis>> beam_search(const Transformer& model,
                                                 std::span<const TokenIds> sentences,
                                                 const BeamOptions& options, int padded_length = 0);

}  // namespace ltz
