#include "cli/terminal/terminal_events.h"

#include <memory>

#include "cli/terminal/terminal.h"

namespace ltz::cli {

const pipeline::Events& terminal_events() {
  static const pipeline::Events kEvents{
      .message = say, .begin = [](const std::string& label) -> Progress {
        return [bar = std::make_shared<ProgressBar>(label)](std::size_t done, std::size_t total) {
          bar->update(done, total);
        };
      }};
  return kEvents;
}

}  // namespace ltz::cli
