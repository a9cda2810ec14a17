#include "cli/commands/listings.h"

#include <algorithm>

#include "base/format.h"
#include "cli/print/text_width.h"
#include "cli/session.h"

namespace headrace::cli {

std::vector<ListedColumn> topic_columns() {
  return {{"topic", "name", Shown::kText},
          {"partitions", "partitions", Shown::kCount},
          {"records", "records", Shown::kCount},
          {"size", "bytes", Shown::kBytes},
          {"size", "size_bytes", Shown::kBytes},
          {"local", "local_bytes", Shown::kBytes},
          {"remote", "remote_bytes", Shown::kBytes},
          {"state", "state", Shown::kText},
          {"lag", "lag", Shown::kCount},
          {"records/s", "records_per_s", Shown::kRate},
          {"last record", "last_timestamp", Shown::kTime}};
}

std::vector<ListedColumn> source_columns() {
  return {{"source", "name", Shown::kText},       {"state", "state", Shown::kText},
          {"topic", "topic", Shown::kText},       {"records", "records", Shown::kCount},
          {"files", "files_done", Shown::kCount}, {"of", "files_total", Shown::kCount},
          {"left", "lag_bytes", Shown::kBytes}};
}

std::vector<ListedColumn> job_columns() {
  return {{"job", "name", Shown::kText},
          {"state", "state", Shown::kText},
          {"mode", "mode", Shown::kText},
          {"records/s", "records_per_s", Shown::kRate},
          {"lag", "lag", Shown::kCount},
          {"records", "records", Shown::kCount},
          {"dead letters", "dead_letters", Shown::kCount},
          {"last error", "last_error", Shown::kText}};
}

std::vector<ListedColumn> table_columns() {
  return {{"table", "name", Shown::kText},
          {"rows", "rows", Shown::kCount},
          {"hot rows", "hot_rows", Shown::kCount},
          {"files", "files", Shown::kCount},
          {"size", "bytes", Shown::kBytes},
          {"snapshots", "snapshots", Shown::kCount},
          {"committed", "committed_at", Shown::kTime}};
}

std::vector<ListedColumn> dead_letter_columns() {
  return {{"job", "job", Shown::kText},       {"node", "node", Shown::kText},
          {"topic", "topic", Shown::kText},   {"partition", "partition", Shown::kCount},
          {"offset", "offset", Shown::kText}, {"rejected", "rejected_at", Shown::kTime},
          {"reason", "reason", Shown::kText}};
}

void print_section(Session& session, const std::string& title, const JsonArray& objects,
                   const std::vector<ListedColumn>& columns, const std::string& if_empty) {
  Console& console = session.console();
  if (!title.empty()) console.out("\n" + styled(console, Style::kBold, title) + "\n");
  if (objects.empty()) {
    console.out((title.empty() ? "" : " ") + if_empty + "\n");
    return;
  }
  print_listing(objects, columns, session.layout(),
                [&](std::string_view text) { console.out(text); });
}

namespace {

bool holds_objects(const Json& value) {
  return value.is_array() && !value.get_array().empty() && value.get_array().front().is_object();
}

std::vector<ListedColumn> columns_of(const JsonArray& objects) {
  std::vector<ListedColumn> columns;
  for (const auto& [key, value] : objects.front().as_object()) {
    const std::string name(key);
    const bool is_bytes = name.find("bytes") != std::string::npos;
    const Shown shown = is_bytes ? Shown::kBytes : value.is_number() ? Shown::kCount : Shown::kText;
    columns.push_back({name, name, shown});
  }
  return columns;
}

}  // namespace

void print_object(Session& session, const Json& object) {
  Console& console = session.console();
  if (!object.is_object()) {
    console.out(to_pretty_text(object));
    return;
  }
  size_t width = 0;
  for (const auto& [key, value] : object.get_object()) {
    if (!holds_objects(value)) width = std::max(width, key.size());
  }
  for (const auto& [key, value] : object.get_object()) {
    if (holds_objects(value)) continue;
    const std::string text = value.is_string() ? std::string(value.get_string()) : to_text(value);
    console.out(format("{:{}}  {}\n", std::string_view(key), width, visible_text(text)));
  }
  for (const auto& [key, value] : object.get_object()) {
    if (!holds_objects(value)) continue;
    print_section(session, std::string(key), value.get_array(), columns_of(value.get_array()), "");
  }
}

}  // namespace headrace::cli
