#pragma once

// Declarations of fields as data: what the reference pages, the JSON Schema, the examples and the
// checks that need no type of C++ are made from. Fields<T> (fields.h) fills them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "config/node.h"
#include "config/problem.h"

namespace headrace::config {

using headrace::to_text;  // of Json, beside those of this module's types

enum class ValueKind {
  kBoolean,
  kInteger,
  kNumber,
  kText,
  kSecret,
  kChoice,
  kDuration,
  kBytes,
  kList,
  kMap,
  kStruct,
  kAny
};

struct FieldList;

struct ChoiceName {
  std::string name;
  std::string help;  // may be empty
};

struct ValueType {
  ValueKind kind = ValueKind::kAny;
  std::vector<ChoiceName> choices;
  std::shared_ptr<const ValueType> element;  // of a list, of a map's values
  std::shared_ptr<const FieldList> fields;   // of a struct

  // "whole number", "list of text", "map of name to text", "one of: a, b".
  std::string to_text() const;
};

struct Field {
  std::string name;
  ValueType type;
  bool required = false;
  bool not_empty = false;
  std::string help;
  std::string unit;     // of a number: rows, bytes, …
  std::string example;  // YAML as it stands after `name: `
  Json default_value;   // null: none
  Json minimum;         // null: none
  Json maximum;
};

// What must hold between fields of one map.
struct FieldGroup {
  enum class Rule { kExactlyOne, kAtMostOne, kAtLeastOne, kAllOrNone };
  Rule rule = Rule::kExactlyOne;
  std::vector<std::string> names;

  std::string to_text() const;  // "exactly one of 'where', 'query'"
};

struct FieldList {
  std::vector<Field> fields;
  std::vector<FieldGroup> groups;
  std::vector<std::string> read_elsewhere;  // allowed, and nobody's business here
  bool other_fields_allowed = false;

  const Field* find(std::string_view name) const;
  // Fields and those read elsewhere.
  std::vector<std::string> names() const;
};

// The outputs.
Json json_schema(const FieldList& fields,
                 const std::string& title);        // draft 2020-12, whole document
Json json_schema_object(const FieldList& fields);  // to be placed in another one
// A Markdown table: field, type, default, meaning; fields of nested structs as `retention.time`.
std::string reference_table(const FieldList& fields);
// YAML with a comment for each field; optional fields are commented out with their default.
std::string example_yaml(const FieldList& fields, int indentation = 0);

// --- for Fields<T> ---------------------------------------------------------------------------

// Is it a map, are all keys known, are required fields there, do the groups hold? False when it
// is no map, so that nothing can be read from it.
bool check_shape(const FieldList& fields, const Node& node, Problems& problems);
// "wants a whole number, found 'abc'".
void report_type(const Node& node, const std::string& wanted, Problems& problems,
                 std::string suggestion = "");
// A default or bound as a user writes it: text without quotes.
std::string to_text_value(const Json& value);
void report_choice(const Node& node, const std::vector<ChoiceName>& choices, Problems& problems);

}  // namespace headrace::config
