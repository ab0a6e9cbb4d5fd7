#pragma once

#include <functional>
#include <string>

#include "model/base/progress.h"

namespace ltz::pipeline {

// What the functions of this library tell their caller while they work. Both may be empty; neither
// changes what comes out. Called from the thread that called the function, or from one at a time.
struct Events {
  // One sentence about what is being done, or what was found.
  std::function<void(const std::string& message)> message = {};
  // A piece of work begins. The function returned is told how much of it is done; the work has
  // ended when the last copy of that function is gone.
  std::function<Progress(const std::string& label)> begin = {};

  void say(const std::string& text) const {
    if (message) {
      message(text);
    }
  }
  // Never empty.
  Progress start(const std::string& label) const {
    Progress progress = begin ? begin(label) : Progress();
    return progress ? progress : [](std::size_t, std::size_t) {};
  }
};

}  // namespace ltz::pipeline
