#pragma once

// The catalog as other engines use it through the REST catalog: namespaces with properties, tables
// that they create and commit to, their views. Tables and commits are the same as in Catalog; a
// commit from outside is checked as one of our own is.
//
// Thread use: from any thread and from several processes. Errors: not_found, already_exists,
// invalid, conflict, commit_unknown, unsupported, denied, corrupt, unavailable.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/metadata_update.h"
#include "lake/new_table.h"
#include "lake/table.h"
#include "lake/view_metadata.h"

namespace headrace::lake {

using Properties = std::map<std::string, std::string>;

class OpenCatalog {
 public:
  virtual ~OpenCatalog() = default;

  // A namespace is there when it was created, or when a table or view is in it. nullopt: it is not.
  // The property "location" says where its tables go.
  virtual std::optional<Properties> find_namespace(const std::string& name) = 0;
  virtual void create_namespace(const std::string& name, const Properties& properties) = 0;
  virtual void set_namespace_properties(const std::string& name, const Properties& properties) = 0;
  virtual void drop_namespace(const std::string& name) = 0;  // conflict when it is not empty

  // A table with fresh field ids; its namespace must be there. When only staged, nobody sees it
  // (it has no metadata location) until it is committed with "assert-create"; the folders for its
  // files are made all the same, as clients write before they commit.
  virtual TablePtr create(const NewTable& request, bool staged) = 0;
  // Takes up a table by its metadata file, as it lies there.
  virtual TablePtr register_table(const TableIdentifier& identifier,
                                  const std::string& metadata_location, bool overwrite) = 0;
  virtual void rename(const TableIdentifier& from, const TableIdentifier& to) = 0;

  // Commits to several tables at once, all or nothing. Appends whose table moved on meanwhile are
  // put on top of it; all else that a requirement does not hold for is a conflict. Returns the new
  // tables in the same order.
  virtual std::vector<TablePtr> commit_updates(const std::vector<TableUpdates>& tables) = 0;

  virtual std::vector<TableIdentifier> list_views(const std::string& database) = 0;
  virtual std::optional<View> find_view(const TableIdentifier& identifier) = 0;
  // From the requests' JSON.
  virtual View create_view(const std::string& database, const Json& request) = 0;
  virtual View commit_view(const TableIdentifier& identifier, const Json& request) = 0;
  virtual void drop_view(const TableIdentifier& identifier) = 0;
  virtual void rename_view(const TableIdentifier& from, const TableIdentifier& to) = 0;
};

}  // namespace headrace::lake
