#include "key_index/key_columns.h"

#include <algorithm>

#include "base/error.h"
#include "engine/database.h"

namespace headrace::key_index {
namespace {

using lake::TypeKind;

const lake::Field& field_of(const lake::Schema& schema, const std::string& name,
                            std::string_view setting) {
  if (const lake::Field* field = schema.find(name)) return *field;
  std::vector<std::string> names;
  for (const lake::Field& field : schema.fields) names.push_back(field.name);
  fail(ErrorKind::kInvalid, "{}: there is no column '{}'; the columns are {}", setting, name,
       join(names, ", "));
}

std::string sort_key(const std::vector<std::string>& columns, const std::string& row) {
  std::vector<std::string> arguments;
  for (const std::string& column : columns) {
    arguments.push_back(format("{}.{}, 'ASC NULLS LAST'", row, engine::quote_identifier(column)));
  }
  // With a text among its arguments the function gives bytes whatever the others are.
  return format("create_sort_key({}, '', 'ASC NULLS LAST')", join(arguments, ", "));
}

std::string describe(const lake::Field& field) {
  return format("{}:{}", field.id, lake::to_duckdb(field.type));
}

}  // namespace

KeyColumns::KeyColumns(const lake::Schema& schema, std::vector<std::string> keys,
                       const std::optional<std::string>& sequence)
    : keys_(std::move(keys)), sequence_(sequence) {
  for (const std::string& key : keys_) {
    const lake::Field& field = field_of(schema, key, "primary_key");
    const TypeKind kind = field.type.kind;
    if (field.type.is_nested() || kind == TypeKind::kFloat || kind == TypeKind::kDouble) {
      fail(ErrorKind::kInvalid,
           "primary_key: column '{}' is {}, which cannot be a key; use numbers without fractions, "
           "decimals, text, times, dates, booleans, UUIDs or bytes",
           key, lake::to_duckdb(field.type));
    }
    if (std::count(keys_.begin(), keys_.end(), key) > 1) {
      fail(ErrorKind::kInvalid, "primary_key: column '{}' stands there twice", key);
    }
    fingerprint_ += describe(field) + " ";
  }
  if (!sequence_) return;
  const lake::Field& field = field_of(schema, *sequence_, "sequence_by");
  if (field.type.is_nested()) {
    fail(ErrorKind::kInvalid, "sequence_by: column '{}' is {}, which has no order", *sequence_,
         lake::to_duckdb(field.type));
  }
  fingerprint_ += "by " + describe(field);
}

std::string KeyColumns::key_sql(const std::string& row) const { return sort_key(keys_, row); }

std::string KeyColumns::sequence_sql(const std::string& row) const {
  return sequence_ ? sort_key({*sequence_}, row) : "''::BLOB";
}

std::string KeyColumns::fingerprint() const { return fingerprint_; }

}  // namespace headrace::key_index
