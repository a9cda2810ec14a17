#pragma once

// Which data files can hold rows for which a condition of a query is true, by what the manifests
// tell of them: partition values, bounds and counts of nulls. What they do not tell, or tell in a
// way that is not understood, is taken for possible. Thread use: any.

#include <memory>

#include "engine/condition.h"
#include "lake/manifest.h"
#include "lake/table.h"

namespace headrace::lake {

class FileFilter {
 public:
  // `schema`: the columns that the condition's are of, by their place. Both outlive the filter.
  FileFilter(const TableMetadata& metadata, const Schema& schema,
             const engine::Condition& condition);
  ~FileFilter();

  bool may_match(const DataFile& file) const;
  // Whether a data file of the manifest may, by the list's summary of their partition values.
  bool may_match(const ManifestFile& manifest) const;
  // False: every file may match.
  bool may_exclude() const;

 private:
  struct Node;
  class Ranges;
  class FileRanges;
  class ManifestRanges;
  Node compiled(const engine::Condition& condition);
  Node compiled_comparison(const engine::Condition& condition);
  size_t slot_of(const Field& field);
  static bool may_match(const Node& node, Ranges& ranges);

  const TableMetadata& metadata_;
  const Schema& schema_;
  std::vector<const Field*> columns_;  // that the condition looks at
  std::unique_ptr<Node> root_;
};

}  // namespace headrace::lake
