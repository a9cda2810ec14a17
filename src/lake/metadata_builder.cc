// Identity, schemas, partition specs, sort orders and properties, and what the whole must fulfil.

#include "lake/metadata_builder.h"

#include <algorithm>

#include "base/error.h"
#include "lake/format_version.h"
#include "lake/partition_change.h"
#include "lake/schema_change.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

std::string without_id(Schema schema) {
  schema.schema_id = 0;
  return to_text(to_json(schema)) + to_text(Json(schema.unknown));
}

int order_id_of(const Json& order) { return static_cast<int>(integer_member(order, "order-id")); }

template <class Items, class IdOf>
bool has_id(const Items& items, int id, IdOf id_of) {
  return std::any_of(items.begin(), items.end(),
                     [&](const auto& item) { return id_of(item) == id; });
}

int schema_id_of(const Schema& schema) { return schema.schema_id; }
int spec_id_of(const PartitionSpec& spec) { return spec.spec_id; }

}  // namespace

MetadataBuilder::MetadataBuilder(std::string table, const TableMetadata* base, int64_t now_ms)
    : table_(std::move(table)), base_(base), now_ms_(now_ms) {
  if (base != nullptr) metadata_ = *base;
  metadata_.last_updated_ms = std::max(metadata_.last_updated_ms, now_ms);
}

void MetadataBuilder::assign_uuid(const std::string& uuid) {
  if (uuid.empty() || (base_ != nullptr && base_->table_uuid != uuid)) {
    fail(ErrorKind::kInvalid, "committing to {}: its uuid cannot become \"{}\"", table_, uuid);
  }
  metadata_.table_uuid = uuid;
}

void MetadataBuilder::upgrade_format(int64_t version) {
  lake::upgrade_format(metadata_, version, "committing to " + table_);
}

void MetadataBuilder::set_location(const std::string& location) { metadata_.location = location; }

void MetadataBuilder::set_properties(const std::map<std::string, std::string>& properties) {
  for (const auto& [name, value] : properties) metadata_.properties[name] = value;
}

void MetadataBuilder::remove_properties(const std::vector<std::string>& names) {
  for (const std::string& name : names) metadata_.properties.erase(name);
}

void MetadataBuilder::add_schema(Schema schema) {
  metadata_.last_column_id = std::max(metadata_.last_column_id, schema.highest_field_id());
  int next_id = 0;
  for (const Schema& known : metadata_.schemas) {
    if (without_id(known) == without_id(schema)) {
      last_schema_id_ = known.schema_id;
      return;
    }
    next_id = std::max(next_id, known.schema_id + 1);
  }
  schema.schema_id = next_id;
  last_schema_id_ = next_id;
  metadata_.schemas.push_back(std::move(schema));
}

void MetadataBuilder::set_current_schema(int schema_id) {
  const int id = schema_id == kLastAdded ? last_schema_id_ : schema_id;
  if (!has_id(metadata_.schemas, id, schema_id_of)) {
    fail(ErrorKind::kInvalid, "committing to {}: there is no schema {}", table_, id);
  }
  metadata_.current_schema_id = id;
}

void MetadataBuilder::remove_schemas(const std::vector<int>& schema_ids) {
  for (const int id : schema_ids) {
    if (id == metadata_.current_schema_id) {
      fail(ErrorKind::kInvalid, "committing to {}: schema {} is in use", table_, id);
    }
    std::erase_if(metadata_.schemas, [&](const Schema& schema) { return schema.schema_id == id; });
  }
}

void MetadataBuilder::add_spec(PartitionSpec spec) {
  last_spec_id_ = add_partition_spec(metadata_, std::move(spec));
}

void MetadataBuilder::set_default_spec(int spec_id) {
  const int id = spec_id == kLastAdded ? last_spec_id_ : spec_id;
  if (!has_id(metadata_.partition_specs, id, spec_id_of)) {
    fail(ErrorKind::kInvalid, "committing to {}: there is no partition spec {}", table_, id);
  }
  metadata_.default_spec_id = id;
}

void MetadataBuilder::remove_specs(const std::vector<int>& spec_ids) {
  for (const int id : spec_ids) {
    if (id == metadata_.default_spec_id) {
      fail(ErrorKind::kInvalid, "committing to {}: partition spec {} is in use", table_, id);
    }
    const auto gone = std::erase_if(metadata_.partition_specs,
                                    [&](const PartitionSpec& spec) { return spec.spec_id == id; });
    if (gone > 0) removed_specs_.insert(id);
  }
}

void MetadataBuilder::add_sort_order(JsonObject order) {
  const Json* found = order.if_contains("fields");
  if (found == nullptr || !found->is_array()) {
    fail(ErrorKind::kInvalid, "committing to {}: the fields of a sort order are no array", table_);
  }
  // 0 is the order of what is not sorted.
  const Json& fields = *found;
  int next_id = fields.get_array().empty() ? 0 : 1;
  for (const Json& known : metadata_.sort_orders) {
    if (to_text(member(known, "fields")) == to_text(fields)) {
      last_order_id_ = order_id_of(known);
      return;
    }
    next_id = std::max(next_id, order_id_of(known) + 1);
  }
  order["order-id"] = next_id;
  last_order_id_ = next_id;
  metadata_.sort_orders.push_back(std::move(order));
}

void MetadataBuilder::set_default_sort_order(int order_id) {
  const int id = order_id == kLastAdded ? last_order_id_ : order_id;
  if (!has_id(metadata_.sort_orders, id, order_id_of)) {
    fail(ErrorKind::kInvalid, "committing to {}: there is no sort order {}", table_, id);
  }
  metadata_.default_sort_order_id = id;
}

// Clients leave out what is as always.
void MetadataBuilder::fill_in() {
  if (metadata_.partition_specs.empty()) add_spec({});
  if (metadata_.sort_orders.empty()) add_sort_order({{"fields", JsonArray{}}});
}

void MetadataBuilder::check_specs() const {
  for (const PartitionField& field : metadata_.default_spec().fields) {
    if (field.transform.kind == TransformKind::kVoid) continue;
    const Field* source = metadata_.current_schema().find_id(field.source_id);
    if (source == nullptr) {
      fail(ErrorKind::kInvalid,
           "committing to {}: its partition field \"{}\" comes from column {}, which is not there",
           table_, field.name, field.source_id);
    }
    result_type(field.transform, source->type);
  }
}

// Files written before must read right with the columns from now on.
void MetadataBuilder::check_readable() const {
  if (base_ == nullptr || !keeps_rows_ || !base_->current_snapshot_id) return;
  if (base_->current_schema_id == metadata_.current_schema_id) return;
  check_still_readable(base_->current_schema(), metadata_.current_schema());
  check_members(metadata_, metadata_.current_schema());
}

TableMetadata MetadataBuilder::finish() {
  if (metadata_.table_uuid.empty() || metadata_.schemas.empty() || metadata_.location.empty()) {
    fail(ErrorKind::kInvalid, "creating {}: it has no uuid, no schema or no location", table_);
  }
  fill_in();
  metadata_.current_schema();
  check_specs();
  check_readable();
  tidy_snapshot_log();
  keep_snapshot_texts(metadata_);
  return std::move(metadata_);
}

}  // namespace headrace::lake
