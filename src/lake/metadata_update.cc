#include "lake/metadata_update.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "lake/metadata_json.h"

namespace headrace::lake {
namespace {

using Apply = std::function<void(MetadataBuilder&)>;

template <class Number = int64_t>
std::vector<Number> numbers(const Json& update, std::string_view name) {
  const Json& list = member(update, name);
  std::vector<Number> result;
  if (!list.is_array()) fail(ErrorKind::kInvalid, "\"{}\" is not an array", name);
  for (const Json& entry : list.get_array()) {
    if (!entry.is_int64()) fail(ErrorKind::kInvalid, "\"{}\" holds what is no integer", name);
    result.push_back(static_cast<Number>(entry.get_int64()));
  }
  return result;
}

JsonObject object_member(const Json& update, std::string_view name) {
  const Json& found = member(update, name);
  if (!found.is_object()) fail(ErrorKind::kInvalid, "\"{}\" is not an object", name);
  return found.get_object();
}

int id_of(const Json& update, std::string_view name) {
  return static_cast<int>(integer_member(update, name));
}

Apply assign_uuid(const Json& update) {
  return
      [uuid = string_member(update, "uuid")](MetadataBuilder& table) { table.assign_uuid(uuid); };
}

Apply upgrade_format_version(const Json& update) {
  return [version = integer_member(update, "format-version")](MetadataBuilder& table) {
    table.upgrade_format(version);
  };
}

Apply add_schema(const Json& update) {
  return [schema = whole_schema_from_json(member(update, "schema"))](MetadataBuilder& table) {
    table.add_schema(schema);
  };
}

Apply set_current_schema(const Json& update) {
  return
      [id = id_of(update, "schema-id")](MetadataBuilder& table) { table.set_current_schema(id); };
}

Apply remove_schemas(const Json& update) {
  return [ids = numbers<int>(update, "schema-ids")](MetadataBuilder& table) {
    table.remove_schemas(ids);
  };
}

Apply add_spec(const Json& update) {
  const Json& json = member(update, "spec");
  PartitionSpec spec = partition_spec_from_json(json);
  const JsonArray& fields = member(json, "fields").as_array();
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    if (find_member(fields[i], "field-id") == nullptr) spec.fields[i].field_id = 0;
  }
  return [spec](MetadataBuilder& table) { table.add_spec(spec); };
}

Apply set_default_spec(const Json& update) {
  return [id = id_of(update, "spec-id")](MetadataBuilder& table) { table.set_default_spec(id); };
}

Apply remove_partition_specs(const Json& update) {
  return
      [ids = numbers<int>(update, "spec-ids")](MetadataBuilder& table) { table.remove_specs(ids); };
}

Apply add_sort_order(const Json& update) {
  return [order = object_member(update, "sort-order")](MetadataBuilder& table) {
    table.add_sort_order(order);
  };
}

Apply set_default_sort_order(const Json& update) {
  return [id = id_of(update, "sort-order-id")](MetadataBuilder& table) {
    table.set_default_sort_order(id);
  };
}

Apply set_location(const Json& update) {
  return [location = string_member(update, "location")](MetadataBuilder& table) {
    table.set_location(location);
  };
}

Apply set_properties(const Json& update) {
  const Json* given = find_member(update, "updates");
  return [properties = properties_from_json(given ? given : find_member(update, "updated"))](
             MetadataBuilder& table) { table.set_properties(properties); };
}

Apply remove_properties(const Json& update) {
  const Json* given = find_member(update, "removals");
  const Json& list = given ? *given : member(update, "removed");
  std::vector<std::string> names;
  if (!list.is_array()) fail(ErrorKind::kInvalid, "\"removals\" is not an array");
  for (const Json& name : list.get_array()) names.emplace_back(name.as_string());
  return [names](MetadataBuilder& table) { table.remove_properties(names); };
}

Apply add_snapshot(const Json& update) {
  constexpr int kCurrent = -1;  // when no schema is named
  const Snapshot snapshot = snapshot_from_json(member(update, "snapshot"), kCurrent);
  return [snapshot](MetadataBuilder& table) { table.add_snapshot(snapshot); };
}

Apply remove_snapshots(const Json& update) {
  return [ids = numbers(update, "snapshot-ids")](MetadataBuilder& table) {
    table.remove_snapshots({ids.begin(), ids.end()});
  };
}

Apply set_snapshot_ref(const Json& update) {
  JsonObject ref{{"snapshot-id", integer_member(update, "snapshot-id")},
                 {"type", string_member(update, "type")}};
  for (const char* name : {"max-ref-age-ms", "max-snapshot-age-ms", "min-snapshots-to-keep"}) {
    if (find_member(update, name) != nullptr) ref[name] = integer_member(update, name);
  }
  return [name = string_member(update, "ref-name"), ref](MetadataBuilder& table) {
    table.set_ref(name, ref);
  };
}

Apply remove_snapshot_ref(const Json& update) {
  return [name = string_member(update, "ref-name")](MetadataBuilder& table) {
    table.remove_ref(name);
  };
}

template <const char* const& kKind>
Apply set_statistics_of(const Json& update) {
  return [statistics = object_member(update, kKind)](MetadataBuilder& table) {
    table.set_statistics(kKind, statistics);
  };
}

template <const char* const& kKind>
Apply remove_statistics_of(const Json& update) {
  return [id = integer_member(update, "snapshot-id")](MetadataBuilder& table) {
    table.remove_statistics(kKind, id);
  };
}

constexpr const char* kStatistics = "statistics";
constexpr const char* kPartitionStatistics = "partition-statistics";

struct UpdateKind {
  std::string_view action;
  Apply (*read)(const Json& update);
};

constexpr std::array<UpdateKind, 21> kUpdates = {
    {{"assign-uuid", assign_uuid},
     {"upgrade-format-version", upgrade_format_version},
     {"add-schema", add_schema},
     {"set-current-schema", set_current_schema},
     {"remove-schemas", remove_schemas},
     {"add-spec", add_spec},
     {"set-default-spec", set_default_spec},
     {"remove-partition-specs", remove_partition_specs},
     {"add-sort-order", add_sort_order},
     {"set-default-sort-order", set_default_sort_order},
     {"set-location", set_location},
     {"set-properties", set_properties},
     {"remove-properties", remove_properties},
     {"add-snapshot", add_snapshot},
     {"remove-snapshots", remove_snapshots},
     {"set-snapshot-ref", set_snapshot_ref},
     {"remove-snapshot-ref", remove_snapshot_ref},
     {"set-statistics", set_statistics_of<kStatistics>},
     {"remove-statistics", remove_statistics_of<kStatistics>},
     {"set-partition-statistics", set_statistics_of<kPartitionStatistics>},
     {"remove-partition-statistics", remove_statistics_of<kPartitionStatistics>}}};

}  // namespace

MetadataUpdate metadata_update_from_json(const Json& json) {
  const std::string action = string_member(json, "action");
  const auto* kind = std::find_if(kUpdates.begin(), kUpdates.end(),
                                  [&](const UpdateKind& known) { return known.action == action; });
  if (kind == kUpdates.end()) {
    fail(ErrorKind::kUnsupported, "the update \"{}\" is none that headrace knows", action);
  }
  try {
    return {action, kind->read(json)};
  } catch (const Error& error) {
    throw error.with_context(format("reading the update \"{}\"", action));
  } catch (const boost::system::system_error& error) {
    fail(ErrorKind::kInvalid, "reading the update \"{}\": {}", action, error.what());
  }
}

TableUpdates table_updates_from_json(const TableIdentifier& identifier, const Json& json) {
  const auto array_of = [&](std::string_view name) -> JsonArray {
    const Json* found = find_member(json, name);
    if (found == nullptr) return {};
    if (!found->is_array()) fail(ErrorKind::kInvalid, "\"{}\" is not an array", name);
    return found->get_array();
  };
  TableUpdates result;
  result.identifier = identifier;
  for (const Json& entry : array_of("requirements")) {
    result.requirements.push_back(requirement_from_json(entry));
  }
  for (const Json& entry : array_of("updates")) {
    result.updates.push_back(metadata_update_from_json(entry));
  }
  return result;
}

}  // namespace headrace::lake
