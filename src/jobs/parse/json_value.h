#pragma once

// JSON values into columns, and what kinds of values there are. Throws simdjson_error for broken
// JSON.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "jobs/parse/column_writer.h"
#include "jobs/parse/found_type.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {

// Objects and lists nested deeper are taken as text where types are inferred.
inline constexpr int kMaxInferredDepth = 16;

// kMisfit: it is no value of the column's type. kNews: it is one that an inferred column has no
// room for yet.
enum class Outcome { kWritten, kNull, kMisfit, kNews };

// Members by their names. They mostly come in the same order: `expected` is tried first.
class MemberNames {
 public:
  void add(std::string_view name) { names_.emplace_back(name); }
  // Something that no member's name finds.
  void add_unnamed() { names_.emplace_back(); }
  size_t size() const { return names_.size(); }
  // size() when there is none.
  size_t find(std::string_view name, size_t expected) const;

 private:
  std::vector<std::optional<std::string>> names_;
};

struct ValueRules {
  bool is_inferred = false;  // a declared type takes what it can, and ignores members it has not
  OnConflict on_conflict = OnConflict::kCast;
  bool is_final = false;  // the columns have grown as far as they can: nothing is news
};

// A JSON value on its own, to be read as often as needed.
class LoneValue {
 public:
  // The value that starts at `text`, of which `size` bytes are there.
  LoneValue(const char* text, size_t size);
  simdjson::ondemand::value read();
  // Nothing for null, objects and lists.
  std::optional<ValueKind> kind() const;
  bool is_object() const { return text_[1] == '{'; }
  bool is_list() const { return text_[1] == '['; }

 private:
  std::string text_;  // as the only element of a list
  size_t size_ = 0;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
};

// The names of the columns beside `name` that take this value when the column cannot, best first.
std::vector<std::string> names_beside(std::string_view name, const LoneValue& value,
                                      OnConflict policy);

// Writes values of one type into a vector. `end`: of the bytes of the record at work.
class ValueWriter {
 public:
  ValueWriter(lake::Type type, const ValueRules& rules, PendingNulls& nulls);

  const lake::Type& type() const { return type_; }
  // kMisfit and kNews leave nothing behind but in the row, which is to be made null or written
  // over.
  Outcome write(simdjson::ondemand::value value, engine::MutableVector& vector, size_t row,
                const char* end);
  void write_null(engine::MutableVector& vector, size_t row);

 private:
  Outcome write_kind(simdjson::ondemand::value& value, simdjson::ondemand::json_type kind,
                     engine::MutableVector& vector, size_t row, const char* end);
  Outcome write_integer(simdjson::ondemand::value& value, simdjson::ondemand::json_type kind,
                        engine::MutableVector& vector, size_t row);
  static Outcome write_string(simdjson::ondemand::value& value, simdjson::ondemand::json_type kind,
                              engine::MutableVector& vector, size_t row);
  Outcome write_text(simdjson::ondemand::value& value, simdjson::ondemand::json_type kind,
                     engine::MutableVector& vector, size_t row);
  Outcome write_struct(simdjson::ondemand::value& value, engine::MutableVector& vector, size_t row,
                       const char* end);
  Outcome write_member(simdjson::ondemand::value value, size_t index, std::vector<bool>& found,
                       engine::MutableVector& vector, size_t row, const char* end);
  Outcome write_beside(const char* text, size_t index, std::vector<bool>& found,
                       engine::MutableVector& vector, size_t row, const char* end);
  Outcome write_list(simdjson::ondemand::value& value, engine::MutableVector& vector, size_t row,
                     const char* end);
  bool is_strict() const;

  lake::Type type_;
  ValueRules rules_;
  PendingNulls& nulls_;
  std::vector<ValueWriter> children_;
  MemberNames names_;
};

// What a value is, whatever its depth.
FoundType look_at(simdjson::ondemand::value value, int depth = 0);

// Looks at a value nobody wants: a broken one makes its record broken.
void skim(simdjson::ondemand::value value);

}  // namespace headrace::jobs::parse
