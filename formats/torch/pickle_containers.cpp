// The part of the pickle reader that works on the stack: containers, symbols and objects.

#include <fmt/format.h>

#include <utility>

#include "formats/torch/pickle_reader.h"
#include "model/base/error.h"

namespace ltz::formats {

void PickleReader::push(Index value) {
  stack_.push_back(value);
}

PickleReader::Index PickleReader::pop() {
  const Index value = top();
  stack_.pop_back();
  return value;
}

PickleReader::Index PickleReader::top() {
  if (stack_.size() <= floor()) {
    fail("the stack is empty");
  }
  return stack_.back();
}

PickleReader::Index PickleReader::top(PickleType wanted) {
  const Index value = top();
  // An object may be of a class derived from list, dict or set.
  if (type(value) != wanted && type(value) != PickleType::kObject) {
    fail(fmt::format("expected {}, found {}", to_string(wanted), to_string(type(value))));
  }
  return value;
}

std::vector<PickleReader::Index> PickleReader::pop_to_mark() {
  if (marks_.empty()) {
    fail("no mark on the stack");
  }
  const auto start = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Index> items(start, stack_.end());
  stack_.erase(start, stack_.end());
  marks_.pop_back();
  return items;
}

std::vector<PickleReader::Index> PickleReader::pop_last(std::size_t count) {
  std::vector<Index> items(count);
  for (std::size_t i = count; i-- > 0;) {
    items[i] = pop();
  }
  return items;
}

void PickleReader::pop_value_or_mark() {
  if (!marks_.empty() && stack_.size() == marks_.back()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void PickleReader::push_list(PickleType type, std::vector<Index> items) {
  push(make_list(type, std::move(items)));
}

void PickleReader::dict() {
  const std::vector<Index> items = pop_to_mark();
  push_list(PickleType::kDict, {});
  set_items(items);
}

void PickleReader::frozen_set() {
  const std::vector<Index> items = pop_to_mark();
  push_list(PickleType::kSet, {});
  add(items);
}

void PickleReader::global_lines() {
  const std::string_view module = take_line();
  global(module, take_line());
}

void PickleReader::stack_global() {
  const Index name = pop();
  const Index module = pop();
  if (type(module) != PickleType::kString || type(name) != PickleType::kString) {
    fail(fmt::format("expected two strings, found {} and {}", to_string(type(module)),
                     to_string(type(name))));
  }
  global(text(module), text(name));
}

void PickleReader::reduce() {
  const Index arguments = pop();
  call(pop(), arguments);
}

void PickleReader::instance() {
  global_lines();
  const Index callable = stack_.back();
  stack_.pop_back();
  call(callable, make_list(PickleType::kTuple, pop_to_mark()));
}

void PickleReader::object() {
  std::vector<Index> items = pop_to_mark();
  if (items.empty()) {
    fail("the stack is empty");
  }
  const Index callable = items.front();
  items.erase(items.begin());
  call(callable, make_list(PickleType::kTuple, std::move(items)));
}

void PickleReader::persistent_id(Index id) {
  push(make(PickleType::kPersistentId, id));
}

// The items of an object that derives from a container are of no use without its class.
void PickleReader::append(const std::vector<Index>& items) {
  const Index list = top(PickleType::kList);
  if (type(list) == PickleType::kList) {
    std::vector<Index>& target = children(list);
    target.insert(target.end(), items.begin(), items.end());
  }
}

void PickleReader::add(const std::vector<Index>& items) {
  const Index set = top(PickleType::kSet);
  for (const Index item : items) {
    require_key(item);
  }
  if (type(set) == PickleType::kSet) {
    std::vector<Index>& target = children(set);
    target.insert(target.end(), items.begin(), items.end());
  }
}

void PickleReader::set_items(const std::vector<Index>& items) {
  const Index dict = top(PickleType::kDict);
  if (items.size() % 2 != 0) {
    fail(fmt::format("expected keys and values, found {} items", items.size()));
  }
  for (std::size_t i = 0; i < items.size(); i += 2) {
    require_key(items[i]);
  }
  if (type(dict) == PickleType::kDict) {
    std::vector<Index>& target = children(dict);
    target.insert(target.end(), items.begin(), items.end());
  }
}

void PickleReader::require_key(Index key) const {
  const PickleType found = type(key);
  if (found == PickleType::kList || found == PickleType::kDict) {
    fail(fmt::format("expected a hashable key, found {}", to_string(found)));
  }
}

void PickleReader::global(std::string_view module, std::string_view name) {
  push(make_text(PickleType::kSymbol, fmt::format("{}.{}", module, name)));
}

void PickleReader::call(Index callable, Index arguments) {
  if (type(callable) != PickleType::kSymbol && type(callable) != PickleType::kObject) {
    fail(fmt::format("expected a global, found {}", to_string(type(callable))));
  }
  if (type(arguments) != PickleType::kTuple) {
    fail(fmt::format("expected a tuple of arguments, found {}", to_string(type(arguments))));
  }
  if (type(callable) == PickleType::kSymbol && text(callable) == "collections.OrderedDict") {
    push(ordered_dict(arguments));
  } else {
    push(make_list(PickleType::kObject, {callable, arguments, kNone}));
  }
}

// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
PickleReader::Index PickleReader::ordered_dict(Index arguments) {
  const std::vector<Index> given = children(arguments);
  if (given.empty()) {
    return make_list(PickleType::kDict, {});
  }
  if (given.size() != 1 ||
      (type(given[0]) != PickleType::kList && type(given[0]) != PickleType::kTuple)) {
    fail("expected OrderedDict() or OrderedDict of a list of pairs");
  }
  std::vector<Index> items;
  // By reference to one list, a short stream could ask for any number of copies of it.
  copied_items_ += children(given[0]).size();
  if (copied_items_ > bytes_.size()) {
    fail("more pairs than bytes");
  }
  // By index: children() may enlarge the array that a reference would point into.
  for (std::size_t i = 0; i < children(given[0]).size(); ++i) {
    const Index pair = children(given[0])[i];
    const bool pair_type = type(pair) == PickleType::kList || type(pair) == PickleType::kTuple;
    if (!pair_type || children(pair).size() != 2) {
      fail("expected OrderedDict() or OrderedDict of a list of pairs");
    }
    require_key(children(pair)[0]);
    items.push_back(children(pair)[0]);
    items.push_back(children(pair)[1]);
  }
  return make_list(PickleType::kDict, std::move(items));
}

void PickleReader::build() {
  const Index state = pop();
  const Index target = top();
  if (type(target) == PickleType::kObject) {
    children(target)[2] = state;
  } else if (type(target) != PickleType::kDict) {
    // The attributes of an OrderedDict, `_metadata` of a state_dict, are not data.
    fail(fmt::format("expected an object, found {}", to_string(type(target))));
  }
}

}  // namespace ltz::formats
