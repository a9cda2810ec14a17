#include "lake/sort_order.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "engine/database.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  return words;
}

// Takes these words off the end of `words`; false when they do not stand there.
bool take_last(std::vector<std::string>& words, const std::vector<std::string>& last) {
  if (words.size() <= last.size()) return false;
  const bool fits = std::equal(
      last.begin(), last.end(), words.end() - static_cast<std::ptrdiff_t>(last.size()),
      [](const std::string& wanted, const std::string& word) { return to_lower(word) == wanted; });
  if (fits) words.resize(words.size() - last.size());
  return fits;
}

JsonObject sort_field(const Schema& schema, const std::string& text) {
  std::vector<std::string> words = words_of(text);
  std::optional<bool> nulls_first;
  bool is_descending = false;
  // A column's name may be of several words, and be one of these.
  if (schema.find(text) == nullptr) {
    if (take_last(words, {"nulls", "first"})) {
      nulls_first = true;
    } else if (take_last(words, {"nulls", "last"})) {
      nulls_first = false;
    }
    is_descending = take_last(words, {"desc"});
    if (!is_descending) take_last(words, {"asc"});
  }
  const std::string name = format("{}", join(words, " "));
  const Field* field = schema.find(schema.find(text) == nullptr ? name : text);
  if (field == nullptr) {
    fail(ErrorKind::kInvalid,
         "sort_by: \"{}\": there is no column \"{}\"; write \"column\" or \"column desc\"", text,
         name);
  }
  if (field->type.is_nested()) {
    fail(ErrorKind::kInvalid, "sort_by: column \"{}\" is {}, which has no order", field->name,
         to_duckdb(field->type));
  }
  // The default of Iceberg: what is smallest comes first, and null is smaller than all.
  return {{"transform", "identity"},
          {"source-id", field->id},
          {"direction", is_descending ? "desc" : "asc"},
          {"null-order", nulls_first.value_or(!is_descending) ? "nulls-first" : "nulls-last"}};
}

}  // namespace

JsonObject sort_order_from_text(const Schema& schema, const std::vector<std::string>& sort_by,
                                int order_id) {
  JsonArray fields;
  for (const std::string& text : sort_by) fields.push_back(sort_field(schema, text));
  return {{"order-id", order_id}, {"fields", std::move(fields)}};
}

void set_sort_order(TableMetadata& metadata, const std::vector<std::string>& sort_by) {
  JsonObject wanted = sort_order_from_text(metadata.current_schema(), sort_by, 0);
  int64_t greatest = 0;
  for (const Json& order : metadata.sort_orders) {
    const int64_t id = integer_member(order, "order-id");
    greatest = std::max(greatest, id);
    if (member(order, "fields") != wanted["fields"]) continue;
    metadata.default_sort_order_id = static_cast<int>(id);
    return;
  }
  // 0 is the id of having none.
  const int id = sort_by.empty() ? 0 : static_cast<int>(greatest) + 1;
  wanted["order-id"] = id;
  metadata.sort_orders.push_back(std::move(wanted));
  metadata.default_sort_order_id = id;
}

std::optional<SortOrder> default_sort_order(const TableMetadata& metadata) {
  for (const Json& order : metadata.sort_orders) {
    if (integer_member(order, "order-id") != metadata.default_sort_order_id) continue;
    const Json& fields = member(order, "fields");
    if (!fields.is_array() || fields.get_array().empty()) return std::nullopt;
    std::vector<std::string> parts;
    for (const Json& field : fields.get_array()) {
      const Schema& schema = metadata.current_schema();
      const Field* source =
          schema.find_id(static_cast<int>(integer_member_or(field, "source-id", 0)));
      if (source == nullptr || schema.find(source->name) != source) return std::nullopt;
      if (string_member_or(field, "transform", "identity") != "identity") return std::nullopt;
      parts.push_back(format("{} {} {}", engine::quote_identifier(source->name),
                             string_member_or(field, "direction", "asc") == "desc" ? "DESC" : "ASC",
                             string_member_or(field, "null-order", "nulls-first") == "nulls-last"
                                 ? "NULLS LAST"
                                 : "NULLS FIRST"));
    }
    return SortOrder{metadata.default_sort_order_id, format("{}", join(parts, ", "))};
  }
  return std::nullopt;
}

}  // namespace headrace::lake
