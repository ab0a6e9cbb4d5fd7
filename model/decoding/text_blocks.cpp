// Facts: fairseq/data/token_block_dataset.py and lm_context_window_dataset.py.

#include "model/decoding/text_blocks.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "model/base/error.h"

namespace ltz {

TextBlocks::TextBlocks(const ModelConfig& config, const BlockOptions& options, Use use)
    : bos_(config.add_bos_token),
      longest_(static_cast<std::size_t>(config.max_target_positions)),
      options_(options),
      use_(std::move(use)) {
  if (options.context_window < 0 || options.context_window >= options.tokens_per_sample) {
    throw ConfigError("a context of " + std::to_string(options.context_window) +
                      " tokens leaves nothing of the " + std::to_string(options.tokens_per_sample) +
                      " tokens per sample");
  }
  block_size_ = static_cast<std::size_t>(options.tokens_per_sample - options.context_window);
}

void TextBlocks::add(const TokenIds& line) {
  switch (options_.mode) {
    case SampleBreak::kNone:
      for (const int token : line) {
        block_.push_back(token);
        if (block_.size() == block_size_) {
          emit();
        }
      }
      break;
    case SampleBreak::kEos:
      block_ = line;
      emit();
      break;
    case SampleBreak::kCompleteDoc:
      if (line.size() == 1) {
        // fairseq leaves a document of one token out, too.
        if (block_.size() > 1) {
          emit();
        }
        block_.clear();
        before_ = line.front();
        break;
      }
      [[fallthrough]];
    case SampleBreak::kComplete:
      if (!block_.empty() && block_.size() + line.size() > block_size_) {
        emit();
      }
      std::ranges::copy(line, std::back_inserter(block_));
      break;
  }
}

void TextBlocks::finish() {
  if (!block_.empty()) {
    emit();
  }
}

void TextBlocks::emit() {
  TextBlock block;
  const int last = block_.back();
  if (bos_) {
    block.inputs.push_back(Vocabulary::kBos);
    block.targets.push_back(Vocabulary::kBos);
  }
  block.inputs.push_back(before_);
  block.inputs.insert(block.inputs.end(), block_.begin(), block_.end() - 1);
  std::ranges::copy(block_, std::back_inserter(block.targets));
  before_ = last;
  block_.clear();
  if (block.inputs.size() > longest_) {
    dropped_ += block.targets.size() - (bos_ ? 1 : 0);
    return;
  }
  if (options_.context_window > 0) {
    const auto whole = static_cast<std::size_t>(options_.tokens_per_sample);
    const std::size_t room = whole - std::min(whole, block.inputs.size());
    const std::size_t kept = std::min(context_.size(), room);
    block.inputs.insert(block.inputs.begin(), context_.end() - static_cast<std::ptrdiff_t>(kept),
                        context_.end());
    context_.clear();
    std::ranges::copy_if(block.inputs, std::back_inserter(context_),
                         [](int token) { return token != Vocabulary::kPad; });
    const auto window = static_cast<std::size_t>(options_.context_window);
    context_.erase(context_.begin(),
                   context_.end() - static_cast<std::ptrdiff_t>(std::min(window, context_.size())));
  }
  use_(std::move(block));
}

}  // namespace ltz
