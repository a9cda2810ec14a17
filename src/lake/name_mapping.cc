#include "lake/name_mapping.h"

namespace headrace::lake {
namespace {

JsonArray mapping_of(const std::vector<Field>& fields) {
  JsonArray mapping;
  for (const Field& field : fields) {
    JsonObject entry{{"field-id", field.id}, {"names", JsonArray{Json(field.name)}}};
    if (field.type.is_nested()) entry["fields"] = mapping_of(field.type.fields);
    mapping.push_back(std::move(entry));
  }
  return mapping;
}

}  // namespace

std::string name_mapping(const Schema& schema) { return to_text(mapping_of(schema.fields)); }

}  // namespace headrace::lake
