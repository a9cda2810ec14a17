// What a client requires of the table that it changes.

#include <algorithm>
#include <array>

#include "base/error.h"
#include "lake/metadata_update.h"

namespace headrace::lake {
namespace {

template <class Value>
void require_equal(const std::string& table, std::string_view what, const Value& found,
                   const Value& required) {
  if (found == required) return;
  fail(ErrorKind::kConflict, "committing to {}: {} is {}, not {}; load the table again", table,
       what, found, required);
}

Requirement create(const Json&) {
  Requirement requirement;
  requirement.is_create = true;
  requirement.check = [](const std::string& table, const TableMetadata* current) {
    if (current == nullptr) return;
    fail(ErrorKind::kAlreadyExists, "creating {}: there is a table of that name already", table);
  };
  return requirement;
}

// One that compares something of a table that must be there.
template <class Value, class Found>
Requirement require_member(std::string what, Value required, Found found) {
  Requirement requirement;
  requirement.check = [what, required, found](const std::string& table,
                                              const TableMetadata* current) {
    if (current == nullptr) fail(ErrorKind::kNotFound, "table {} does not exist", table);
    require_equal(table, what, found(*current), required);
  };
  return requirement;
}

Requirement table_uuid(const Json& json) {
  return require_member("its uuid", string_member(json, "uuid"),
                        [](const TableMetadata& table) { return table.table_uuid; });
}

Requirement ref_snapshot_id(const Json& json) {
  const std::string ref = string_member(json, "ref");
  std::optional<SnapshotId> required;
  if (find_member(json, "snapshot-id") != nullptr) required = integer_member(json, "snapshot-id");
  const auto text = [](std::optional<SnapshotId> id) {
    return id ? format("snapshot {}", *id) : std::string("at no snapshot");
  };
  Requirement requirement = require_member(
      format("\"{}\"", ref), text(required), [ref, text](const TableMetadata& table) {
        const Json* found = table.refs.if_contains(ref);
        return text(found == nullptr ? std::nullopt
                                     : std::optional(integer_member(*found, "snapshot-id")));
      });
  if (ref == kMainBranch) requirement.main_snapshot = required;
  return requirement;
}

template <int TableMetadata::* kMember>
Requirement number(const Json& json, std::string_view name, std::string what) {
  return require_member(std::move(what), integer_member(json, name),
                        [](const TableMetadata& table) { return int64_t{table.*kMember}; });
}

struct RequirementKind {
  std::string_view type;
  Requirement (*read)(const Json& json);
};

constexpr std::array<RequirementKind, 8> kRequirements = {
    {{"assert-create", create},
     {"assert-table-uuid", table_uuid},
     {"assert-ref-snapshot-id", ref_snapshot_id},
     {"assert-current-schema-id",
      [](const Json& json) {
        return number<&TableMetadata::current_schema_id>(json, "current-schema-id",
                                                         "its current schema");
      }},
     {"assert-last-assigned-field-id",
      [](const Json& json) {
        return number<&TableMetadata::last_column_id>(json, "last-assigned-field-id",
                                                      "its last field id");
      }},
     {"assert-last-assigned-partition-id",
      [](const Json& json) {
        return number<&TableMetadata::last_partition_id>(json, "last-assigned-partition-id",
                                                         "its last partition field id");
      }},
     {"assert-default-spec-id",
      [](const Json& json) {
        return number<&TableMetadata::default_spec_id>(json, "default-spec-id",
                                                       "its default partition spec");
      }},
     {"assert-default-sort-order-id", [](const Json& json) {
        return number<&TableMetadata::default_sort_order_id>(json, "default-sort-order-id",
                                                             "its default sort order");
      }}}};

}  // namespace

Requirement requirement_from_json(const Json& json) {
  const std::string type = string_member(json, "type");
  const auto* kind = std::find_if(kRequirements.begin(), kRequirements.end(),
                                  [&](const RequirementKind& known) { return known.type == type; });
  if (kind == kRequirements.end()) {
    fail(ErrorKind::kUnsupported, "the requirement \"{}\" is none that headrace knows", type);
  }
  return kind->read(json);
}

}  // namespace headrace::lake
