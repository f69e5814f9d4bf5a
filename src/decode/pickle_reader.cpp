#include "decode/pickle_reader.h"

#include <bit>
#include <unordered_map>
#include <utility>

#include "base/error.h"

namespace caffe2rt {

using Kind = PickleValue::Kind;

// The stack machine that a pickle is a program for. It only ever makes values.
class PickleMachine {
 public:
  explicit PickleMachine(std::string_view bytes) : bytes_(bytes) {}

  Pickle run() {
    for (;;) {
      opcode_at_ = position_;
      const auto opcode = static_cast<unsigned char>(take(1)[0]);
      if (opcode == '.') {
        pickle_.root_ = pop();
        return std::move(pickle_);
      }
      if (!push_plain(opcode) && !push_container(opcode) && !fill(opcode) && !remember(opcode))
        broken("opcode 0x{:02x} is none that torch.save writes", opcode);
    }
  }

  size_t position() const { return position_; }

 private:
  static constexpr size_t kMaxValues = 1'000'000;

  template <class... Args>
  [[noreturn]] void broken(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::kFormat, "pickle, byte {}: {}", opcode_at_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_)
      broken("expected {} more bytes, got {}", count, bytes_.size() - position_);
    const auto taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  std::uint64_t take_unsigned(int count) {  // little-endian
    std::uint64_t value = 0;
    const auto taken = take(count);
    for (int i = 0; i < count; i++) value |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    return value;
  }

  std::string_view take_line() {
    const size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) broken("a name without an end");
    const auto line = take(end - position_);
    take(1);
    return line;
  }

  PickleValue& push(Kind kind) {
    require(pickle_.values_.size() < kMaxValues, ErrorCode::kLimit, "pickle: more than {} values",
            kMaxValues);
    stack_.push_back(static_cast<PickleId>(pickle_.values_.size()));
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    return value;
  }

  PickleId pop() {
    const size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) broken("the stack is empty");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }

  // Everything above the last mark.
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) broken("there is no mark");
    std::vector<PickleId> popped(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return popped;
  }

  PickleValue& top() {
    const size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) broken("the stack is empty");
    return pickle_.values_[stack_.back()];
  }

  bool push_plain(unsigned char opcode);
  bool push_container(unsigned char opcode);
  bool fill(unsigned char opcode);
  bool remember(unsigned char opcode);
  void push_long(std::uint64_t size);
  void push_tuple(size_t size);
  void push_object();
  void put(std::uint64_t key);
  void get(std::uint64_t key);
  void add_items(std::vector<PickleId> items, Kind plain);

  const std::string_view bytes_;
  size_t position_ = 0;
  size_t opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  // sizes of the stack when they were set
  std::unordered_map<std::uint64_t, PickleId> memo_;
};

// Values without parts.
bool PickleMachine::push_plain(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      push(Kind::kNone);
      return true;
    case 0x88:
      push(Kind::kBool).integer = 1;
      return true;
    case 0x89:
      push(Kind::kBool).integer = 0;
      return true;
    case 'J':
      push(Kind::kInt).integer = static_cast<std::int32_t>(take_unsigned(4));
      return true;
    case 'K':
      push(Kind::kInt).integer = static_cast<std::int64_t>(take_unsigned(1));
      return true;
    case 'M':
      push(Kind::kInt).integer = static_cast<std::int64_t>(take_unsigned(2));
      return true;
    case 0x8a:
      push_long(take_unsigned(1));
      return true;
    case 0x8b:
      push_long(take_unsigned(4));
      return true;
    case 'G':
      push(Kind::kFloat).real = std::bit_cast<double>(__builtin_bswap64(take_unsigned(8)));
      return true;
    case 'X':
    case 'T':
      push(Kind::kString).text = take(take_unsigned(4));
      return true;
    case 'U':
      push(Kind::kString).text = take(take_unsigned(1));
      return true;
    case 'c': {
      const std::string module(take_line());
      push(Kind::kName).text = module + "." + std::string(take_line());
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::push_long(std::uint64_t size) {
  const auto digits = take(size);
  if (size > 8) {
    push(Kind::kLong).text = digits;
    return;
  }
  std::uint64_t value = size > 0 && (digits.back() & 0x80) ? ~std::uint64_t{0} : 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit)
    value = value << 8 | static_cast<unsigned char>(*digit);
  push(Kind::kInt).integer = static_cast<std::int64_t>(value);
}

// Values made of others.
bool PickleMachine::push_container(unsigned char opcode) {
  switch (opcode) {
    case ')':
      push(Kind::kTuple);
      return true;
    case ']':
      push(Kind::kList);
      return true;
    case '}':
      push(Kind::kDict);
      return true;
    case 't': {
      auto items = pop_to_mark();
      push(Kind::kTuple).items = std::move(items);
      return true;
    }
    case 0x85:
      push_tuple(1);
      return true;
    case 0x86:
      push_tuple(2);
      return true;
    case 0x87:
      push_tuple(3);
      return true;
    case 'R':   // call a function
    case 0x81:  // make an object of a class
      push_object();
      return true;
    case 'Q': {
      const PickleId id = pop();
      push(Kind::kPersistent).arguments = id;
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::push_tuple(size_t size) {
  std::vector<PickleId> items(size);
  for (size_t i = size; i-- > 0;) items[i] = pop();
  push(Kind::kTuple).items = std::move(items);
}

void PickleMachine::push_object() {
  const PickleId arguments = pop(), callee = pop();
  const Kind kind = pickle_.values_[callee].kind;
  if (kind != Kind::kName && kind != Kind::kPersistent)
    broken("expected the name of a class or function to call");
  if (pickle_.values_[arguments].kind != Kind::kTuple) broken("expected a tuple of arguments");
  PickleValue& object = push(Kind::kObject);
  object.callee = callee;
  object.arguments = arguments;
}

// Puts the values on top into the one below them.
bool PickleMachine::fill(unsigned char opcode) {
  switch (opcode) {
    case 'a':
      add_items({pop()}, Kind::kList);
      return true;
    case 'e':
      add_items(pop_to_mark(), Kind::kList);
      return true;
    case 's': {
      const PickleId value = pop(), key = pop();
      add_items({key, value}, Kind::kDict);
      return true;
    }
    case 'u':
      add_items(pop_to_mark(), Kind::kDict);
      return true;
    case 'b': {
      const PickleId state = pop();
      if (top().kind != Kind::kObject) broken("attributes for what is no object");
      top().state = state;
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::add_items(std::vector<PickleId> items, Kind plain) {
  PickleValue& to = top();
  if (to.kind != plain && to.kind != Kind::kObject) broken("items for what cannot hold them");
  if (plain == Kind::kDict && items.size() % 2 != 0) broken("a key without a value");
  to.items.insert(to.items.end(), items.begin(), items.end());
}

// The memo, the marks, and what has no effect.
bool PickleMachine::remember(unsigned char opcode) {
  switch (opcode) {
    case 0x80:
      if (take_unsigned(1) > 2) broken("expected protocol 2 or older");
      return true;
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case 'q':
      put(take_unsigned(1));
      return true;
    case 'r':
      put(take_unsigned(4));
      return true;
    case 'h':
      get(take_unsigned(1));
      return true;
    case 'j':
      get(take_unsigned(4));
      return true;
    default:
      return false;
  }
}

void PickleMachine::put(std::uint64_t key) {
  if (stack_.empty()) broken("the stack is empty");
  memo_[key] = stack_.back();
}

void PickleMachine::get(std::uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) broken("memo {} is empty", key);
  stack_.push_back(found->second);
}

Pickle Pickle::read(std::string_view& bytes) {
  PickleMachine machine(bytes);
  Pickle pickle = machine.run();
  bytes.remove_prefix(machine.position());
  return pickle;
}

const PickleValue* Pickle::find(const PickleValue& dict, std::string_view key) const {
  if (dict.kind != Kind::kDict && dict.kind != Kind::kObject) return nullptr;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& name = values_[dict.items[i]];
    if (name.kind == Kind::kString && name.text == key) return &values_[dict.items[i + 1]];
  }
  return nullptr;
}

const PickleValue* Pickle::attribute(const PickleValue& object, std::string_view name) const {
  if (object.kind != Kind::kObject || object.state == kNoValue) return nullptr;
  return find(values_[object.state], name);
}

}  // namespace caffe2rt
