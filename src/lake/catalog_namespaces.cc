// Namespaces: one level, with properties. Those of tables need not be created.

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "lake/metadata_json.h"
#include "lake/store_catalog.h"

namespace headrace::lake {
namespace {

// Schemas of the engine behind SQL: tables in them could not be asked for.
constexpr std::array<std::string_view, 6> kReservedNamespaces = {
    "hot", "system", "main", "temp", "pg_catalog", "information_schema"};

std::string namespace_value(const Properties& properties) {
  JsonObject members;
  for (const auto& [name, value] : properties) members[name] = value;
  return to_text(JsonObject{{"properties", std::move(members)}});
}

}  // namespace

std::vector<std::string> StoreCatalog::databases() {
  std::set<std::string> names;
  for (const TableIdentifier& identifier : list("")) names.insert(identifier.database);
  for (const TableIdentifier& identifier : list_views("")) names.insert(identifier.database);
  for (const store::Entry& entry : store_.list(kNamespacesSpace, "")) names.insert(entry.key);
  return {names.begin(), names.end()};
}

std::optional<Properties> StoreCatalog::find_namespace(const std::string& name) {
  Properties properties;
  if (const auto entry = store_.get(kNamespacesSpace, name)) {
    const Json value = parse_json(entry->value, "a namespace");
    properties = properties_from_json(find_member(value, "properties"));
  } else if (name.empty() || (list(name).empty() && list_views(name).empty())) {
    return std::nullopt;
  }
  properties.emplace("location", options_.warehouse + "/" + name);
  return properties;
}

void StoreCatalog::create_namespace(const std::string& name, const Properties& properties) {
  check_name("namespace", name);
  if (std::find(kReservedNamespaces.begin(), kReservedNamespaces.end(), name) !=
      kReservedNamespaces.end()) {
    fail(ErrorKind::kInvalid,
         "creating namespace {}: SQL has a schema of that name; choose another", name);
  }
  if (find_namespace(name)) {
    fail(ErrorKind::kAlreadyExists, "namespace {} exists already", name);
  }
  try {
    store_.apply({{kNamespacesSpace, name, namespace_value(properties), 0}});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConflict) throw;
    fail(ErrorKind::kAlreadyExists, "namespace {} exists already: it was created meanwhile", name);
  }
}

void StoreCatalog::set_namespace_properties(const std::string& name, const Properties& properties) {
  if (!find_namespace(name)) fail(ErrorKind::kNotFound, "namespace {} does not exist", name);
  store_.apply({{kNamespacesSpace, name, namespace_value(properties), std::nullopt}});
}

void StoreCatalog::drop_namespace(const std::string& name) {
  if (!find_namespace(name)) fail(ErrorKind::kNotFound, "namespace {} does not exist", name);
  const size_t count = list(name).size() + list_views(name).size();
  if (count > 0) {
    fail(ErrorKind::kConflict, "dropping namespace {}: {} tables and views are in it", name, count);
  }
  store_.apply({{kNamespacesSpace, name, std::nullopt, std::nullopt}});
}

}  // namespace headrace::lake
