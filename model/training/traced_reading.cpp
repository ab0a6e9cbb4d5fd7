#include "model/training/traced_reading.h"

#include <utility>

#include "model/layers/transformer_layers.h"

namespace ltz {

TracedReading::TracedReading(const Transformer& model, std::span<const TokenIds> sources,
                             std::span<const TokenIds> targets)
    : model_(model),
      reading_(model.start_reading(sources, targets)),
      traces_(static_cast<std::size_t>(number_of_sublayers(model.config()))) {
  for (Trace& trace : traces_) {
    trace.input =
        in_encoder(model.config(), reading_.sublayers) ? reading_.source : reading_.target;
    model.read_on(reading_, &trace.sum);
  }
}

void TracedReading::sublayer_backward(int sublayer, Matrix& d, Matrix& dsource,
                                      Gradients& gradients) const {
  const Transformer::Layers& layers = *model_.layers_;
  const Reading::Layout& layout = *reading_.layout;
  const SublayerPlace place = place_of(model_.config(), sublayer);
  const bool encoder = place.stack == Stack::kEncoder;
  const Layer& layer =
      (encoder ? layers.encoder : layers.decoder)[static_cast<std::size_t>(place.layer)];
  const Trace& trace = traces_[static_cast<std::size_t>(sublayer)];
  const auto through = [&](const LayerNorm& norm, const auto& f_backward) {
    if (const LayerNorm* last = layers.norm_behind(place)) {
      Matrix x = trace.sum;
      if (!layer.normalize_before) {
        norm(x);
      }
      Matrix dx = Matrix::Zero(x.rows(), x.cols());
      last->backward(x, d, dx, gradients);
      d = std::move(dx);
    }
    layer.around(norm).backward(trace.input, trace.sum, d, gradients, f_backward);
  };
  if (place.sublayer == Sublayer::kSelfMixing) {
    through(layer.self_norm, [&](MatrixView x, MatrixView dout, MutableMatrixView dx) {
      layer.self_attn.backward(x, encoder ? layout.source : layout.target, dout, dx, gradients);
    });
  } else if (place.sublayer == Sublayer::kCrossAttention) {
    through(*layer.encoder_attn_norm, [&](MatrixView x, MatrixView dout, MutableMatrixView dx) {
      layer.encoder_attn->backward({x, reading_.source, layout.cross}, dout, {dx, dsource},
                                   gradients);
    });
  } else {
    through(layer.final_norm, [&](MatrixView x, MatrixView dout, MutableMatrixView dx) {
      layer.ffn.backward(x, dout, dx, gradients);
    });
  }
}

void TracedReading::embeddings_backward(const Matrix& dsource, const Matrix& dtarget,
                                        Gradients& gradients) const {
  const Transformer::Layers& layers = *model_.layers_;
  const Reading::Layout& layout = *reading_.layout;
  if (layers.encoder_embedding) {
    const auto& [ids, positions] = layout.source_tokens;
    layers.encoder_embedding->backward(ids, positions, dsource, gradients);
  }
  const auto& [ids, positions] = layout.target_tokens;
  layers.decoder_embedding.backward(ids, positions, dtarget, gradients);
}

void TracedReading::backward(Matrix dfeatures, Gradients& gradients) const {
  Matrix dsource = Matrix::Zero(reading_.source.rows(), reading_.source.cols());
  for (int sublayer = static_cast<int>(traces_.size()); sublayer-- > 0;) {
    Matrix& d = in_encoder(model_.config(), sublayer) ? dsource : dfeatures;
    sublayer_backward(sublayer, d, dsource, gradients);
  }
  embeddings_backward(dsource, dfeatures, gradients);
}

}  // namespace ltz
