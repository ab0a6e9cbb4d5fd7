#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/layers/transformer.h"

namespace ltz {

// The model once more, to compare with: double precision, one sentence, one number after the other,
// as the papers write it down (Vaswani et al. 2017; Wu et al. 2019; Wu et al. 2020). It shares
// nothing with model/layers but the names of the parameters.
class PlainModel {
 public:
  // A row a token.
  using Rows = std::vector<std::vector<double>>;

  explicit PlainModel(const Checkpoint& checkpoint);

  // The sentence may have <pad> tokens. padded_length: pads it to that, as the reference does in a
  // batch; 0: does not. Returns
  // (tokens of the sentence, encoder_embed_dim).
  Rows encode(const TokenIds& sentence, std::size_t padded_length = 0) const;

  // Teacher-forced: row i has seen </s> and the first i tokens of the target; of a language model
  // whose texts begin with <s>, row 0 has seen only that. Returns (tokens of the target, target
  // vocabulary); with an adaptive softmax log probabilities. A language model takes no sentence.
  Rows logits(const TokenIds& sentence, const TokenIds& target) const;

 private:
  // Whether the row of a query may look at another row.
  using Visible = std::function<bool(std::size_t query, std::size_t key)>;

  const std::vector<double>& parameter(const std::string& name) const;
  Rows linear(const Rows& x, const std::string& name) const;
  void normalize(Rows& x, const std::string& name) const;
  Rows embed(const TokenIds& tokens, Stack which) const;
  std::vector<double> token_vector(int token, Stack which) const;
  // From the decoder's features, one a token.
  Rows multiply_with_table(const Rows& x) const;
  Rows adaptive_log_probabilities(const Rows& x) const;
  Rows attention(const Rows& queries, const Rows& memory, int heads, const std::string& name,
                 const Visible& visible) const;
  // padding: of each row.
  using Padding = std::vector<bool>;
  Rows convolution(Rows x, const BranchConfig& branch, int taps, bool causal,
                   const Padding& padding, const std::string& name) const;
  Rows mix(const Rows& x, const StackConfig& stack, int layer, bool causal, const Padding& padding,
           const std::string& name) const;
  Rows feed_forward(const Rows& x, const std::string& name) const;
  // x = x + f(x) with the LayerNorm in front of f or behind the sum.
  void residual(Rows& x, const StackConfig& stack, const std::string& norm,
                const std::function<Rows(const Rows&)>& f) const;

  ModelConfig config_;
  std::map<std::string, std::vector<double>> parameters_;
};

}  // namespace ltz
