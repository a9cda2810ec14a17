#pragma once

// One value of an Avro file, of any type.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lake/avro_schema.h"

namespace headrace::lake {

class AvroValue;
using AvroValues = std::vector<AvroValue>;

// A record's values in the order of its schema's fields.
struct AvroRecord {
  const AvroSchema* schema = nullptr;  // set by the reader; lives as long as its AvroContent
  AvroValues values;
};

// bool, integers as int64_t, float and double as double; string, bytes, fixed and enum as
// std::string; arrays as AvroValues; maps as arrays of records without schema, (key, value).
class AvroValue {
 public:
  AvroValue() = default;
  AvroValue(bool value) : value_(value) {}
  AvroValue(int value) : value_(int64_t{value}) {}
  AvroValue(int64_t value) : value_(value) {}
  AvroValue(double value) : value_(value) {}
  AvroValue(std::string value) : value_(std::move(value)) {}
  AvroValue(const char* value) : value_(std::string(value)) {}
  AvroValue(AvroValues values) : value_(std::move(values)) {}
  AvroValue(AvroRecord record) : value_(std::move(record)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  // Each throws Error corrupt when the value is of another type.
  bool boolean() const { return get<bool>("boolean"); }
  int64_t integer() const { return get<int64_t>("integer"); }
  double number() const { return get<double>("floating point number"); }
  const std::string& bytes() const { return get<std::string>("string"); }
  const AvroValues& array() const { return get<AvroValues>("array"); }
  const AvroRecord& record() const { return get<AvroRecord>("record"); }

  // A field of a record by its id; a shared null when the record's schema lacks it.
  const AvroValue& field(int field_id) const;

 private:
  template <class T>
  const T& get(std::string_view name) const {
    const T* found = std::get_if<T>(&value_);
    if (found == nullptr) wrong_type(name);
    return *found;
  }
  [[noreturn]] static void wrong_type(std::string_view wanted);

  std::variant<std::monostate, bool, int64_t, double, std::string, AvroValues, AvroRecord> value_;
};

// To be written: the schema is given to the writer.
inline AvroValue avro_record(AvroValues values) { return AvroRecord{nullptr, std::move(values)}; }

}  // namespace headrace::lake
