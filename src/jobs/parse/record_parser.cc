#include "jobs/parse/record_parser.h"

#include "base/error.h"

namespace headrace::jobs::parse {

Json to_json(const ParseSpec& spec) {
  JsonArray fields;
  for (const ParseField& field : spec.fields) {
    JsonObject entry{{"name", field.name},
                     {"type", field.type},
                     {"path", field.path},
                     {"required", field.required},
                     {"inferred", field.is_inferred}};
    if (field.member) entry["member"] = *field.member;
    fields.push_back(std::move(entry));
  }
  JsonArray ignore;
  for (const std::string& name : spec.ignore) ignore.emplace_back(name);
  return JsonObject{{"node", spec.node},
                    {"topic", spec.topic},
                    {"format", spec.format},
                    {"fields", std::move(fields)},
                    {"null_on_error", spec.null_on_error},
                    {"delimiter", std::string(1, spec.delimiter)},
                    {"pattern", spec.pattern},
                    {"inferring", spec.is_inferring},
                    {"on_conflict", static_cast<int>(spec.on_conflict)},
                    {"ignore", std::move(ignore)}};
}

ParseSpec parse_spec_from_json(const Json& json) {
  ParseSpec spec;
  spec.node = string_member(json, "node");
  spec.topic = string_member(json, "topic");
  spec.format = string_member(json, "format");
  for (const Json& field : member(json, "fields").as_array()) {
    spec.fields.push_back({string_member(field, "name"), string_member(field, "type"),
                           string_member(field, "path"), member(field, "required").as_bool(),
                           member(field, "inferred").as_bool()});
    if (find_member(field, "member") != nullptr) {
      spec.fields.back().member = string_member(field, "member");
    }
  }
  spec.null_on_error = member(json, "null_on_error").as_bool();
  spec.delimiter = string_member(json, "delimiter").front();
  spec.pattern = string_member(json, "pattern");
  spec.is_inferring = member(json, "inferring").as_bool();
  spec.on_conflict = static_cast<OnConflict>(integer_member(json, "on_conflict"));
  for (const Json& name : member(json, "ignore").as_array()) {
    spec.ignore.emplace_back(name.as_string());
  }
  return spec;
}

std::unique_ptr<RecordParser> make_record_parser(const ParseSpec& spec,
                                                 std::vector<lake::Type> types, bool is_final) {
  if (spec.format == "json") return make_json_parser(spec, std::move(types), is_final);
  if (spec.format == "csv") return make_csv_parser(spec, std::move(types));
  if (spec.format == "text") return make_text_parser(spec, std::move(types));
  fail(ErrorKind::kInternal, "there is no parser for format '{}'", spec.format);
}

std::string describe_misfit(const ParseField& field, const lake::Type& type,
                            std::string_view value) {
  constexpr size_t kShown = 80;
  // Cut at a character's border.
  size_t end = std::min(value.size(), kShown);
  while (end > 0 && end < value.size() && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80)
    --end;
  return format("field {}: '{}'{} is no {}", field.name, value.substr(0, end),
                end < value.size() ? "…" : "", lake::to_duckdb(type));
}

}  // namespace headrace::jobs::parse
