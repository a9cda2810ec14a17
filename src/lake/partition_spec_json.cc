#include "base/error.h"
#include "lake/transform.h"
#include "lake/types.h"

namespace headrace::lake {

Json to_json(const PartitionSpec& spec) {
  JsonArray fields;
  for (const PartitionField& field : spec.fields) {
    fields.push_back(JsonObject{{"source-id", field.source_id},
                                {"field-id", field.field_id},
                                {"name", field.name},
                                {"transform", to_text(field.transform)}});
  }
  return JsonObject{{"spec-id", spec.spec_id}, {"fields", std::move(fields)}};
}

namespace {

int source_of(const Json& field) {
  if (find_member(field, "source-id") == nullptr && find_member(field, "source-ids") != nullptr) {
    fail(ErrorKind::kUnsupported,
         "reading a partition spec: \"{}\" is a transform of several columns (\"source-ids\"), "
         "which "
         "headrace does not know",
         string_member_or(field, "transform", ""));
  }
  return static_cast<int>(integer_member(field, "source-id"));
}

}  // namespace

PartitionSpec partition_spec_from_json(const Json& json) {
  PartitionSpec spec;
  spec.spec_id = static_cast<int>(integer_member_or(json, "spec-id", 0));
  const Json& fields = member(json, "fields");
  if (!fields.is_array()) {
    fail(ErrorKind::kInvalid, "reading a partition spec: \"fields\" is not an array");
  }
  for (const Json& entry : fields.get_array()) {
    PartitionField field;
    field.source_id = source_of(entry);
    field.field_id = static_cast<int>(
        integer_member_or(entry, "field-id", 1000 + static_cast<int64_t>(spec.fields.size())));
    field.name = string_member(entry, "name");
    field.transform = transform_from_text(string_member(entry, "transform"));
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

}  // namespace headrace::lake
