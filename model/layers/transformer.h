#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/kernels/matrix.h"
#include "model/kernels/weight_matrix.h"
#include "model/layers/layers.h"
#include "model/text/vocabulary.h"

namespace ltz {

class AdaptiveSoftmax;

// Name of a stack's table of embeddings, which may be the other's, too. Not with adaptive inputs.
std::string embedding_table(const ModelConfig& config, Stack which);

// Name of the table that the decoder's features are multiplied with: decoder.embed_out, or the
// embedding that it is tied to. Not with an adaptive softmax.
std::string output_table(const ModelConfig& config);

// The encoder's output for a batch of sentences, one after the other.
struct EncodedBatch {
  Matrix output;                     // (tokens of all sentences, channels)
  std::vector<std::int32_t> starts;  // first row of each sentence, then the number of rows
};

// What the decoder remembers of its batch; made by Transformer::start_decoding.
struct DecoderState {
  std::vector<SelfMixing::Memory> self_memory;  // per layer; grows with every call of decode
  std::vector<Attention::Memory> cross_memory;  // per layer; keys and values of the encoder output

  // Forget all rows but these, in ascending order, which become rows 0, 1, …
  void keep_history(std::span<const std::int32_t> rows);
  void keep_sources(std::span<const std::int32_t> rows);
};

// One row of a decoder call: a token and what it may look at.
struct DecoderRow {
  int token = 0;
  int position = 0;                           // from 0
  std::span<const std::int32_t> history;      // rows of self_memory up to and with this one's own
  std::span<const std::int32_t> source_rows;  // rows of cross_memory
};

// What the decoder reads for these targets: </s> and then the target without its last token. With
// add_bos_token the target begins with <s>, and what is read with <s> and </s>.
TokenIds decoder_inputs(const ModelConfig& config, const TokenIds& target);

// Sentences and their targets halfway through a model, teacher-forced: the decoder reads
// decoder_inputs. A copy can be read on independently. For a language model the source sentences
// are empty.
struct Reading {
  // Tokens and their places, for look-ups.
  struct Tokens {
    std::vector<int> ids;
    std::vector<int> positions;
  };
  struct Layout {
    Tokens source_tokens;
    Tokens target_tokens;
    std::vector<std::int32_t> rows;                   // 0, 1, …: what the contexts are spans of
    std::vector<std::vector<std::int32_t>> attended;  // of each source sentence: spans, too
    std::vector<Context> source;                      // of every source token
    std::vector<Context> target;                      // of every target token, causal
    std::vector<Context> cross;                       // of every target token: its source sentence
  };

  std::shared_ptr<const Layout> layout;  // which rows belong together
  Matrix source;                         // (source tokens, channels), as far as the encoder is
  Matrix target;                         // (target tokens, channels), as far as the decoder is
  int sublayers = 0;                     // that are done, of number_of_sublayers()
  // By decoder layer: what its cross-attention makes of the source, where that is known already,
  // see Transformer::remember_source.
  std::map<int, std::shared_ptr<const Attention::Memory>> source_memory = {};
};

// Sublayers in the order of computation: self-attention and feed-forward of every encoder layer,
// then self-attention, cross-attention and feed-forward of every decoder layer. A language model
// has no cross-attention.
int number_of_sublayers(const ModelConfig& config);
enum class Sublayer { kSelfMixing, kCrossAttention, kFeedForward };
struct SublayerPlace {
  Stack stack;
  int layer;
  Sublayer sublayer;
};
SublayerPlace place_of(const ModelConfig& config, int sublayer);
// The sublayer that a parameter of a layer belongs to, from 0.
int sublayer_of(const ModelConfig& config, const ParameterSpec& spec);
bool in_encoder(const ModelConfig& config, int sublayer);

// The rows of a sentence, from `first` on, that attention may look at: all but those of <pad>
// tokens, which fairseq masks wherever they come from; all if there are no others.
std::vector<std::int32_t> attended_rows(const TokenIds& sentence, std::int32_t first);

// A model ready to compute with. Its weights are float32, except that with int8 those of all
// products with matrices, the output projection too, and what is multiplied with them are bytes:
// see Int8Matrix. After construction a model is only read, except by `replace` and
// `observe_inputs`, so that any number of threads can use it.
class Transformer {
 public:
  // Throws ConfigError as validate() does.
  explicit Transformer(const Checkpoint& checkpoint, Arithmetic arithmetic = Arithmetic::kFloat32);
  ~Transformer();
  Transformer(Transformer&&) noexcept;
  Transformer& operator=(Transformer&&) noexcept;

  const ModelConfig& config() const { return config_; }

  // Exchanges the values of one parameter. Throws ConfigError when there is no such parameter or
  // when the number of values differs.
  void replace(const std::string& name, std::span<const float> values);

  // The values of a parameter, row-major, as the model computes with them. Throws as replace does.
  std::vector<float> parameter(const std::string& name) const;

  // From now on calls this with the inputs of every linear layer, on the thread that computes them;
  // with those of the output projection, too, under the name of its table. Empty: stops that.
  void observe_inputs(InputObserver observer);

  // Throws ConfigError for a sentence longer than max_source_positions and for ids outside of the
  // vocabulary.
  void check_source(const TokenIds& sentence) const;

  // Throws ConfigError as check_source does, and so does decode for ids. Not of language models.
  // padded_length: what the reference would pad the sentences of this batch to, at their end, or 0.
  // The reference masks padding before the linear layer in front of a convolution and not after it,
  // so that its encoder's convolutions see that layer's bias in the padding: the same sentence has
  // slightly different results in another batch. 0 gives the reference's result for the sentence
  // alone. Convolution-only models mask after that layer and ignore padded_length.
  EncodedBatch encode(std::span<const TokenIds> sentences, int padded_length = 0) const;

  // A decoder without sentences. That of a language model needs none: its rows have no source_rows.
  DecoderState start_decoding() const;
  DecoderState start_decoding(const EncodedBatch& encoded) const;
  // Adds sentences: their rows in cross_memory follow those that are there.
  void add_sources(DecoderState& state, const EncodedBatch& encoded) const;
  // Runs new rows through the decoder and appends them to the memories. Makes the features that the
  // output projection takes, (rows, channels).
  void decode(DecoderState& state, std::span<const DecoderRow> rows,
              MutableMatrixView features) const;
  Matrix decode(DecoderState& state, std::span<const DecoderRow> rows) const;
  // The softmax over the vocabulary in bands that a language model may have; or null.
  const AdaptiveSoftmax* adaptive_softmax() const;
  // (rows, channels) -> (rows, target vocabulary): unnormalised log probabilities; with an adaptive
  // softmax normalised ones.
  Matrix logits(MatrixView features) const;
  // Reports the inputs of the output's matrices to the observer; they need not be multiplied.
  void observe_output(MatrixView features) const;
  // The logits of all tokens, not reported to the observer.
  void logits(MatrixView features, MutableMatrixView logits) const;
  // Without an adaptive softmax: the logits of the tokens from `first` on, a multiple of
  // PackedMatrix::kPanel, as many as `logits` has columns; not reported either. features: some of
  // product_rows.
  void logits(const ProductRows::View& features, int first, MutableMatrixView logits) const;
  ProductRows product_rows(MatrixView features) const;
  // From the gradient of a loss by all logits, (rows, target vocabulary), to those by the features,
  // added to dfeatures, and by the output's parameters.
  void logits_backward(MatrixView features, MatrixView dlogits, MutableMatrixView dfeatures,
                       Gradients& gradients) const;

  // Both have their </s>; sources are empty for a language model. Looks the tokens up; errors as of
  // encode.
  // padded_length: see encode.
  Reading start_reading(std::span<const TokenIds> sources, std::span<const TokenIds> targets,
                        int padded_length = 0) const;
  // Runs the next sublayer. After the last one, target is what decode returns. sum: where the
  // sublayer's input plus its function is left, before any LayerNorm behind it, or null.
  void read_on(Reading& reading, Matrix* sum = nullptr) const;
  // Once the encoder is done: computes what this decoder layer takes from the source, for this
  // reading and all its copies. 8 bytes for each token and channel.
  void remember_source(Reading& reading, int decoder_layer) const;

 private:
  struct Layers;
  friend class TracedReading;

  // Without the checks of start_reading. targets: as many as sources, or none.
  Reading::Layout lay_out(std::span<const TokenIds> sources, std::span<const TokenIds> targets,
                          int padded_length) const;

  ModelConfig config_;
  std::map<std::string, std::vector<float>> parameters_;  // all but those that only products need
  std::map<std::string, WeightMatrix> matrices_;
  std::map<std::string, WeightMatrix> transposed_;  // of those that are used in both ways
  std::unique_ptr<InputObserver> observer_;         // the layers know where it is
  std::unique_ptr<Layers> layers_;
};

}  // namespace ltz
