// Views of other engines: entries of the same space as tables, so that no name is taken twice.

#include "base/error.h"
#include "lake/store_catalog.h"

namespace headrace::lake {
namespace {

constexpr const char* kLocation = "view_metadata_location";
constexpr int kMaxViewAttempts = 10;

std::string view_value(const std::string& metadata_location) {
  return to_text(JsonObject{{kLocation, metadata_location}});
}

View existing(std::optional<View> view, const TableIdentifier& identifier) {
  if (!view) fail(ErrorKind::kNotFound, "view {} does not exist", identifier.to_string());
  return *std::move(view);
}

}  // namespace

std::vector<TableIdentifier> StoreCatalog::list_views(const std::string& database) {
  std::vector<TableIdentifier> identifiers;
  for (const store::Entry& entry :
       store_.list(kTablesSpace, database.empty() ? "" : database + ".")) {
    const size_t dot = entry.key.find('.');
    if (find_member(parse_json(entry.value, "a view's pointer"), kLocation) == nullptr) continue;
    identifiers.push_back({entry.key.substr(0, dot), entry.key.substr(dot + 1)});
  }
  return identifiers;
}

std::optional<View> StoreCatalog::find_view(const TableIdentifier& identifier) {
  const Pointer at = pointer(identifier);
  if (!at.view_location) return std::nullopt;
  View view{identifier, *at.view_location, at.version};
  view.metadata = parse_json(objects_.get(*at.view_location), "view metadata");
  return view;
}

View StoreCatalog::write_view(const TableIdentifier& identifier, int64_t version_before,
                              Json metadata) {
  const std::string folder = checked_location(string_member(metadata, "location")) + "/metadata";
  objects_.make_folder(folder);
  const std::string uri =
      format("{}/{:05}-{}.metadata.json", folder,
             member(metadata, "version-log").as_array().size() - 1, make_uuid(random_));
  objects_.put_if_absent(uri, to_text(metadata));
  View view{identifier, uri, version_before + 1, std::move(metadata)};
  try {
    store_.apply({{kTablesSpace, identifier.to_string(), view_value(view.metadata_location),
                   version_before}});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) files_.remove_best_effort(view.metadata_location);
    throw;
  }
  return view;
}

View StoreCatalog::create_view(const std::string& database, const Json& request) {
  const TableIdentifier identifier{database, string_member(request, "name")};
  check_new(identifier);
  const Pointer before = pointer(identifier);
  check_free(identifier, before);
  const std::string given = string_member_or(request, "location", "");
  const std::string location =
      given.empty() ? default_location(identifier) : checked_location(given);
  try {
    return write_view(identifier, before.version,
                      first_view_metadata(request, location, make_uuid(random_),
                                          millis_since_epoch(clock_.now())));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConflict) throw;
    fail(ErrorKind::kAlreadyExists, "{} exists already: it was created meanwhile",
         identifier.to_string());
  }
}

View StoreCatalog::commit_view(const TableIdentifier& identifier, const Json& request) {
  for (int attempt = 1;; ++attempt) {
    const View view = existing(find_view(identifier), identifier);
    Json metadata = changed_view_metadata(view.metadata, request, millis_since_epoch(clock_.now()));
    try {
      return write_view(identifier, view.catalog_version, std::move(metadata));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict || attempt == kMaxViewAttempts) throw;
    }
    back_off(attempt);
  }
}

void StoreCatalog::drop_view(const TableIdentifier& identifier) {
  const View view = existing(find_view(identifier), identifier);
  store_.apply({{kTablesSpace, identifier.to_string(), tombstone(), view.catalog_version}});
  files_.remove_best_effort(view.metadata_location);
}

void StoreCatalog::rename_view(const TableIdentifier& from, const TableIdentifier& to) {
  const View view = existing(find_view(from), from);
  move_entry(from, view.catalog_version, to, view_value(view.metadata_location));
}

}  // namespace headrace::lake
