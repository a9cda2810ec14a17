#pragma once

// A node type is one file in nodes/ with one describe(): its name, its settings, and how a
// configured node becomes SQL. The build finds the files (cmake/Registry.cmake).

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "config/fields.h"
#include "engine/database.h"
#include "jobs/parse/field_growth.h"
#include "lake/table.h"
#include "tables/upsert_table.h"

namespace headrace::jobs {

// A node that is compiled already, as its consumers see it: a relation of that name with these
// columns.
struct InputRelation {
  std::string name;
  std::vector<engine::Column> columns;
  bool is_raw_topic = false;  // a topic, untouched
  std::string topic;          // of a raw topic

  bool has(std::string_view column) const;
  // Columns that a target writes: those that are not lineage (__topic, __partition, …).
  std::vector<engine::Column> visible_columns() const;
  // Rows know the record that they came from.
  bool has_lineage() const { return has("__offset"); }
};

// Names of the columns that carry a row's origin through a job; a target leaves them out.
inline constexpr const char* kLineageColumns[] = {"__topic", "__partition", "__offset", "__time",
                                                  "__key"};

// The columns of each parse node that infers some: those that it declares, then those found so far.
using FoundFields = std::map<std::string, std::vector<parse::ParseField>>;

struct CompileContext {
  std::string job;
  std::string node;
  std::vector<InputRelation> inputs;
  // Whether SQL can read a table just now. A job is compiled again once its own tables are there.
  std::function<bool(const lake::TableIdentifier&)> is_table;
  const FoundFields* found = nullptr;

  const InputRelation& input() const { return inputs.front(); }
  // SELECT `projection` FROM `input`, without the rows for which `reason` (SQL; NULL: accepted)
  // gives a reason; those go to the dead letters. Rows are judged after everything before this node
  // and before everything behind it, whatever the optimiser would like.
  std::string accepting(const InputRelation& from, const std::string& projection,
                        const std::string& reason) const;
};

// What feeds a job from outside the graph.
struct SourceNeed {
  enum class Kind { kTopic, kTable, kFiles } kind = Kind::kTopic;
  std::string topic;
  bool from_latest = false;
  lake::TableIdentifier table;
  // Of a bronze table whose records are parsed: they come as those of a topic of the table's name.
  bool as_records = false;
  std::string path;    // glob
  std::string reader;  // SQL table function for files: read_csv, read_json, read_parquet; options
                       // after the path
  std::string reader_options;
};

struct TargetNeed {
  lake::TableIdentifier table;
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> properties;
  tables::UpsertSpec upsert = {};           // with a primary key: rows change the table
  std::string delete_when = {};             // SQL over a row of the input; empty: never
  std::vector<std::string> leave_out = {};  // columns of the input that are not stored
  std::optional<std::vector<std::string>> sort_by = {};  // as in tables::TargetSpec
  std::optional<int> format_version = {};                // as in tables::TargetSpec
};

// A node that finds columns in the records of its input, a topic.
struct InferenceNeed {
  parse::Inference rules;
  std::vector<parse::ParseField> declared;
};

// A node of a job as its settings say.
class Node {
 public:
  virtual ~Node() = default;
  // Names of the nodes it reads, in order.
  virtual std::vector<std::string> inputs() const { return {}; }
  // Inputs from this index on are static: read whole, and again when they change.
  virtual size_t first_static_input() const { return inputs().size(); }
  virtual std::optional<SourceNeed> source() const { return std::nullopt; }
  virtual std::optional<TargetNeed> target() const { return std::nullopt; }
  // Whether it takes the records of a topic, or of a bronze table, as they came.
  virtual bool takes_records() const { return false; }
  // Of a node whose columns are found in the data.
  virtual std::optional<InferenceNeed> inference() const { return std::nullopt; }
  // The SELECT that gives the node's rows; not called for targets and for sources of tables and
  // files.
  virtual std::string compile(const CompileContext& context) const = 0;
};

struct NodeType {
  std::string name;
  std::string summary;
  std::string example;  // YAML of the node
  config::FieldList fields;
  std::function<std::unique_ptr<Node>(const config::Node&, config::Problems&)> read;
};

// All node types, by name; generated.
const std::vector<NodeType>& node_types();
// nullptr when there is none of that name.
const NodeType* find_node_type(std::string_view name);

// A node type whose nodes are a struct of settings S with a class N(S).
template <class N, class S>
NodeType make_node_type(std::string name, std::string summary, std::string example,
                        config::Fields<S> fields) {
  fields.read_elsewhere({"type"});
  NodeType type{std::move(name), std::move(summary), std::move(example), fields.list(), {}};
  type.read = [fields](const config::Node& node,
                       config::Problems& problems) -> std::unique_ptr<Node> {
    return std::make_unique<N>(fields.read(node, problems));
  };
  return type;
}

// "silver.edits" → {silver, edits}; throws invalid.
lake::TableIdentifier parse_table_name(const std::string& text);
// For config::check: what is wrong with a table's name, empty when nothing is.
std::string complain_about_table_name(const std::string& text);

}  // namespace headrace::jobs
