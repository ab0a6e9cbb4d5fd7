#include "model/training/training_loss.h"

#include <algorithm>
#include <utility>

#include "model/kernels/kernels.h"
#include "model/kernels/scratch.h"
#include "model/training/traced_reading.h"

namespace ltz {
namespace {

// Rows whose logits are in memory at a time.
constexpr Eigen::Index kRows = 256;

// The loss of one row and, in place of its logits, the gradient by them. teacher: its
// probabilities, or empty.
TrainingLoss row_loss(std::span<float> logits, std::span<const float> teacher, int token,
                      const Objective& objective) {
  const auto wanted = static_cast<std::size_t>(token);
  const auto size = static_cast<double>(logits.size());
  const Eigen::Map<const RowVector> values(logits.data(), static_cast<Eigen::Index>(logits.size()));
  const double wanted_logit = logits[wanted];
  const double mean_logit = values.sum() / size;
  const double share = teacher.empty() ? 0.0 : objective.distillation;
  double teacher_logit = 0.0;  // the mean of the logits, weighed with what the teacher says
  if (share > 0.0) {
    teacher_logit = Eigen::Map<const RowVector>(teacher.data(), values.size()).dot(values);
  }
  const double normalizer = kernels::log_sum_exp(logits);
  kernels::softmax(logits);
  const double smoothing = objective.label_smoothing;
  TrainingLoss loss;
  loss.reference = {normalizer - wanted_logit, 1};
  loss.objective =
      (1.0 - share) * (normalizer - (1.0 - smoothing) * wanted_logit - smoothing * mean_logit) +
      share * (normalizer - teacher_logit);
  const auto everywhere = static_cast<float>((1.0 - share) * smoothing / size);
  for (float& d : logits) {
    d -= everywhere;
  }
  logits[wanted] -= static_cast<float>((1.0 - share) * (1.0 - smoothing));
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    logits[i] -= static_cast<float>(share) * teacher[i];
  }
  return loss;
}

}  // namespace

void TrainingLoss::add(const TrainingLoss& other) {
  objective += other.objective;
  reference.nats += other.reference.nats;
  reference.tokens += other.reference.tokens;
}

TrainingLoss backward(const Transformer& model, const Transformer* teacher,
                      std::span<const TokenIds> sources, std::span<const TokenIds> targets,
                      const Objective& objective, Gradients& gradients) {
  const bool distil = teacher != nullptr && objective.distillation > 0.0;
  const Matrix teacher_features =
      distil ? teacher_forced_features(*teacher, sources, targets) : Matrix();
  const TracedReading reading(model, sources, targets);
  const Matrix& features = reading.features();
  TokenIds wanted;
  for (const TokenIds& target : targets) {
    wanted.insert(wanted.end(), target.begin(), target.end());
  }
  Matrix dfeatures = Matrix::Zero(features.rows(), features.cols());
  TrainingLoss sum;
  for (Eigen::Index begin = 0; begin < features.rows(); begin += kRows) {
    const Eigen::Index rows = std::min(kRows, features.rows() - begin);
    Scratch logits(rows, model.config().target_vocabulary_size);
    Scratch taught(distil ? rows : 0, model.config().target_vocabulary_size);
    model.logits(features.middleRows(begin, rows), *logits);
    if (distil) {
      teacher->logits(teacher_features.middleRows(begin, rows), *taught);
    }
    MutableMatrixView logit_rows(*logits);
    MutableMatrixView taught_rows(*taught);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const int token = wanted[static_cast<std::size_t>(begin + i)];
      if (!is_counted(model.config(), token)) {
        logits->row(i).setZero();
        continue;
      }
      std::span<float> teacher_row;
      if (distil) {
        teacher_row = row_of(taught_rows, i);
        kernels::softmax(teacher_row);
      }
      sum.add(row_loss(row_of(logit_rows, i), teacher_row, token, objective));
    }
    model.logits_backward(features.middleRows(begin, rows), *logits,
                          dfeatures.middleRows(begin, rows), gradients);
  }
  reading.backward(std::move(dfeatures), gradients);
  return sum;
}

}  // namespace ltz
