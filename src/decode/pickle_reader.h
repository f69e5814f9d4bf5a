// Reads a Python pickle into plain nodes and executes nothing: functions and classes stay names, calls stay
// records of what would have been called. Knows the opcodes of protocol 2, which torch.save writes. Source:
// pickletools.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caffe2rt {

// A value of a pickle is named by its index there: values may be shared and may hold themselves.
using PickleId = int;
inline constexpr PickleId kNoValue = -1;

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInt,
    kLong,
    kFloat,
    kString,
    kTuple,
    kList,
    kDict,
    kName,
    kObject,
    kPersistent
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;  // kBool, kInt
  double real = 0;           // kFloat
  std::string text;  // kString: bytes or UTF-8; kLong: little-endian bytes; kName: "module.name" of a class
                     // or function
  std::vector<PickleId>
      items;  // kTuple, kList: elements; kDict: key, value, ...; kObject: what was put into it
  PickleId callee = kNoValue;     // kObject: what would have made it
  PickleId arguments = kNoValue;  // kObject: a tuple for the callee; kPersistent: the id
  PickleId state = kNoValue;      // kObject: its attributes, usually a dict
};

class Pickle {
 public:
  // Reads one pickle and takes it off the front of `bytes`. Throws Error: kFormat with the position for an
  // opcode that is unknown or does not fit and where the bytes end too early, kLimit past a million values.
  static Pickle read(std::string_view& bytes);

  const PickleValue& root() const { return values_[root_]; }
  const PickleValue& operator[](PickleId id) const { return values_.at(id); }
  const std::vector<PickleValue>& values() const { return values_; }

  // The value under a text key of a dict, or of an object that was filled like one; null where there is none.
  const PickleValue* find(const PickleValue& dict, std::string_view key) const;

  // An attribute of an object; null where there is none.
  const PickleValue* attribute(const PickleValue& object, std::string_view name) const;

 private:
  friend class PickleMachine;
  std::vector<PickleValue> values_;
  PickleId root_ = kNoValue;
};

}  // namespace caffe2rt
