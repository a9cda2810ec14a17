#include "lake/new_table.h"

#include <array>
#include <charconv>

#include "base/error.h"
#include "lake/format_version.h"
#include "lake/metadata_builder.h"
#include "lake/metadata_json.h"

namespace headrace::lake {
namespace {

// Clients ask for these in the way of properties; they are none (Iceberg's reserved properties).
constexpr std::array<const char*, 9> kReservedProperties = {
    "format-version",           "uuid",
    "snapshot-count",           "current-snapshot-id",
    "current-snapshot-summary", "current-snapshot-timestamp-ms",
    "current-schema",           "default-partition-spec",
    "default-sort-order"};

using FreshIds = std::map<int, int>;  // by the client's id

void assign_fresh(std::vector<Field>& fields, int& last_id, FreshIds& fresh) {
  for (Field& field : fields) {
    if (!fresh.emplace(field.id, last_id + 1).second) {
      fail(ErrorKind::kInvalid, "creating a table: field id {} appears twice", field.id);
    }
    field.id = ++last_id;
  }
  for (Field& field : fields) assign_fresh(field.type.fields, last_id, fresh);
}

int fresh_id(const FreshIds& fresh, int64_t id, std::string_view what) {
  const auto found = fresh.find(static_cast<int>(id));
  if (found == fresh.end()) {
    fail(ErrorKind::kInvalid, "creating a table: its {} names field {}, which is not there", what,
         id);
  }
  return found->second;
}

void renumber_identifiers(Schema& schema, const FreshIds& fresh) {
  Json* ids = schema.unknown.if_contains("identifier-field-ids");
  if (ids == nullptr || !ids->is_array()) return;
  for (Json& id : ids->get_array()) id = fresh_id(fresh, id.as_int64(), "identifier");
}

PartitionSpec renumbered(PartitionSpec spec, const FreshIds& fresh) {
  for (PartitionField& field : spec.fields) {
    field.source_id = fresh_id(fresh, field.source_id, "partition spec");
    field.field_id = 0;
  }
  return spec;
}

JsonObject renumbered(JsonObject order, const FreshIds& fresh) {
  Json& fields = order["fields"];
  if (!fields.is_array()) fields = JsonArray();
  for (Json& field : fields.get_array()) {
    const int64_t source = integer_member(field, "source-id");
    field.as_object()["source-id"] = fresh_id(fresh, source, "sort order");
  }
  return order;
}

int64_t format_version_of(const std::map<std::string, std::string>& properties) {
  const auto found = properties.find("format-version");
  if (found == properties.end()) return kDefaultFormatVersion;
  int64_t version = 0;
  const char* end = found->second.data() + found->second.size();
  if (std::from_chars(found->second.data(), end, version).ptr != end) {
    fail(ErrorKind::kInvalid, "creating a table: \"{}\" is no format version", found->second);
  }
  return version;
}

}  // namespace

NewTable new_table_from_json(const std::string& database, const Json& json) {
  NewTable request;
  request.identifier = {database, string_member(json, "name")};
  request.schema = whole_schema_from_json(member(json, "schema"));
  if (const Json* spec = find_member(json, "partition-spec")) {
    request.spec = partition_spec_from_json(*spec);
  }
  if (const Json* order = find_member(json, "write-order");
      order != nullptr && order->is_object()) {
    request.sort_order = order->get_object();
  }
  request.properties = properties_from_json(find_member(json, "properties"));
  request.location = string_member_or(json, "location", "");
  return request;
}

TableMetadata first_metadata(const NewTable& request, const std::string& location,
                             const std::string& uuid, int64_t now_ms) {
  Schema schema = request.schema;
  FreshIds fresh;
  int last_id = 0;
  assign_fresh(schema.fields, last_id, fresh);
  renumber_identifiers(schema, fresh);
  MetadataBuilder builder(request.identifier.to_string(), nullptr, now_ms);
  builder.assign_uuid(uuid);
  builder.upgrade_format(format_version_of(request.properties));
  builder.add_schema(std::move(schema));
  builder.set_current_schema(MetadataBuilder::kLastAdded);
  builder.add_spec(renumbered(request.spec, fresh));
  builder.set_default_spec(MetadataBuilder::kLastAdded);
  builder.add_sort_order(renumbered(request.sort_order, fresh));
  builder.set_default_sort_order(MetadataBuilder::kLastAdded);
  builder.set_location(location);
  builder.set_properties({{"write.parquet.compression-codec", "zstd"}});
  builder.set_properties(request.properties);
  builder.remove_properties({kReservedProperties.begin(), kReservedProperties.end()});
  return builder.finish();
}

}  // namespace headrace::lake
