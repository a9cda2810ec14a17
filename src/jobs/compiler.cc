#include "jobs/compiler.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "tables/record_columns.h"

namespace headrace::jobs {
namespace {

struct GraphNode {
  NodeSpec spec;
  std::unique_ptr<Node> node;
  std::vector<std::string> inputs;
  std::vector<std::string> consumers;  // that compute something: raw targets do not count
  bool is_static = false;
  bool gives_records = false;  // a table, as a topic does
  InputRelation relation;
  std::string select;  // the node's SQL; empty for targets
};

std::vector<GraphNode> read_nodes(const JobSpec& job) {
  std::vector<GraphNode> nodes;
  config::Problems problems;
  for (const NodeSpec& spec : job.nodes) {
    const NodeType* type = find_node_type(spec.type);
    if (type == nullptr)
      fail(ErrorKind::kInvalid, "nodes.{}: there is no node type '{}'", spec.name, spec.type);
    GraphNode node;
    node.spec = spec;
    node.node = type->read(spec.settings, problems);
    node.inputs = node.node->inputs();
    nodes.push_back(std::move(node));
  }
  problems.throw_if_errors("job " + job.name);
  return nodes;
}

class Compiler {
 public:
  Compiler(const JobSpec& spec, engine::Connection& connection, InputLoader& loader,
           const FoundFields& found)
      : spec_(spec),
        connection_(connection),
        loader_(loader),
        found_(found),
        nodes_(read_nodes(spec)) {}

  CompiledJob compile() {
    job_.name = spec_.name;
    job_.found = found_;
    mark_static();
    link_consumers();
    mark_record_tables();
    for (GraphNode& node : nodes_) {
      if (node.node->target()) {
        compile_target(node);
      } else {
        compile_node(node);
      }
    }
    check_driving();
    return std::move(job_);
  }

 private:
  GraphNode& at(const std::string& name) {
    const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                    [&](const GraphNode& node) { return node.spec.name == name; });
    if (found == nodes_.end())
      fail(ErrorKind::kInvalid, "job {} has no node '{}'", spec_.name, name);
    return *found;
  }

  // A source is static when all that it feeds are static sides.
  void mark_static() {
    std::set<std::string> flowing;
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      const bool flows = node->node->target() || flowing.contains(node->spec.name);
      node->is_static = !flows;
      if (!flows) continue;
      const size_t first_static = node->node->first_static_input();
      for (size_t i = 0; i < node->inputs.size() && i < first_static; ++i)
        flowing.insert(node->inputs[i]);
    }
  }

  void link_consumers() {
    for (GraphNode& node : nodes_) {
      for (const std::string& input : node.inputs) {
        const auto source = at(input).node->source();
        const bool is_raw =
            node.node->target() && source && source->kind == SourceNeed::Kind::kTopic;
        if (!is_raw) at(input).consumers.push_back(node.spec.name);
      }
    }
  }

  // A table whose records are parsed drives the job like a topic.
  void mark_record_tables() {
    for (GraphNode& node : nodes_) {
      const auto source = node.node->source();
      if (!source || source->kind != SourceNeed::Kind::kTable || node.is_static) continue;
      const auto takes = [&](const std::string& consumer) {
        return at(consumer).node->takes_records();
      };
      const auto& consumers = node.consumers;
      node.gives_records = std::any_of(consumers.begin(), consumers.end(), takes);
      if (!node.gives_records || std::all_of(consumers.begin(), consumers.end(), takes)) continue;
      fail(ErrorKind::kInvalid,
           "nodes.{}: its records are parsed, so all that read it must parse them; give the others "
           "a table node of their own in another job",
           node.spec.name);
    }
  }

  static bool gives_records(const SourceNeed& need) {
    return need.kind == SourceNeed::Kind::kTopic || need.as_records;
  }

  std::optional<SourceNeed> source_of(const GraphNode& node) {
    auto source = node.node->source();
    if (source && node.gives_records) {
      source->as_records = true;
      source->topic = source->table.to_string();
      loader_.check_records({node.spec.name, *source});
    }
    return source;
  }

  void compile_node(GraphNode& node) {
    const auto source = source_of(node);
    if (source && gives_records(*source)) {
      node.select = format("SELECT * FROM headrace_records({}, {})",
                           engine::quote_literal(spec_.name), engine::quote_literal(source->topic));
    } else if (source) {
      compile_source(node, *source);
    } else {
      CompileContext context{spec_.name,
                             node.spec.name,
                             {},
                             [this](const auto& table) { return is_table(table); },
                             &found_};
      for (const std::string& input : node.inputs) context.inputs.push_back(at(input).relation);
      if (auto need = node.node->inference()) {
        job_.inferring.push_back({node.spec.name, context.input().topic, std::move(*need)});
      }
      node.select = node.node->compile(context);
    }
    node.relation.name = node.spec.name;
    if (source && gives_records(*source)) {
      node.relation.is_raw_topic = true;
      node.relation.topic = source->topic;
      job_.driving.push_back({node.spec.name, *source});
    }
    node.relation.columns =
        describe(node, with_chain(node.inputs) + format("SELECT * FROM ({})", node.select));
    const bool is_shared = node.consumers.size() > 1 && !source && !node.is_static;
    if (is_shared) share(node);
  }

  bool is_table(const lake::TableIdentifier& table) {
    const bool found =
        connection_.query_integer(format("SELECT count(*) FROM information_schema.tables WHERE "
                                         "table_schema = {} AND table_name = {}",
                                         engine::quote_literal(table.database),
                                         engine::quote_literal(table.name))) > 0;
    job_.is_provisional = job_.is_provisional || !found;
    return found;
  }

  void compile_source(GraphNode& node, const SourceNeed& need) {
    const CompiledInput input{node.spec.name, need};
    if (node.is_static) {
      loader_.load_static(input);
      job_.statics.push_back(input);
      node.select = "SELECT * FROM " + static_table_name(spec_.name, node.spec.name);
    } else {
      loader_.show_driving(input);
      job_.driving.push_back(input);
      node.select = "SELECT * FROM " + driving_view_name(spec_.name, node.spec.name);
    }
  }

  void share(GraphNode& node) {
    const std::string table = engine::quote_name("temp", spec_.name + "." + node.spec.name);
    job_.shared_tables.push_back(format("CREATE OR REPLACE TEMP TABLE {} AS {}{}",
                                        table.substr(table.find('.') + 1), with_chain(node.inputs),
                                        node.select));
    // Later nodes are bound against it, so it must be there.
    connection_.execute(format("CREATE OR REPLACE TEMP TABLE {} AS {}SELECT * FROM ({}) LIMIT 0",
                               table.substr(table.find('.') + 1), with_chain(node.inputs),
                               node.select));
    node.select = "SELECT * FROM " + table;
    node.inputs.clear();
  }

  void compile_target(GraphNode& node) {
    const GraphNode& input = at(node.inputs.front());
    CompiledTarget target{node.spec.name, *node.node->target(), {}, "", ""};
    if (input.relation.is_raw_topic) {
      if (target.is_upsert() || !target.need.leave_out.empty()) {
        fail(ErrorKind::kInvalid,
             "nodes.{}: its input '{}' is a topic, whose records are kept as they are: parse them "
             "first for 'primary_key' and 'leave_out'",
             node.spec.name, input.spec.name);
      }
      target.raw_topic = input.relation.topic;
      target.columns = tables::record_columns();
    } else {
      target.columns = stored_columns(node, input.relation, target.need);
      std::vector<std::string> names;
      for (const engine::Column& column : target.columns)
        names.push_back(engine::quote_identifier(column.name));
      const std::string columns = format("{}", join(names, ", "));
      if (target.is_upsert()) {
        compile_changes(node, input.relation, columns, target);
      } else {
        target.select = with_chain(node.inputs) + format("SELECT {} FROM {}", columns,
                                                         engine::quote_identifier(input.spec.name));
      }
    }
    job_.targets.push_back(std::move(target));
  }

  std::vector<engine::Column> stored_columns(const GraphNode& node, const InputRelation& input,
                                             const TargetNeed& need) {
    for (const std::string& name : need.leave_out) {
      if (input.has(name)) continue;
      fail(ErrorKind::kInvalid, "nodes.{}: leave_out: '{}' has no column '{}'", node.spec.name,
           input.name, name);
    }
    std::vector<engine::Column> columns = input.visible_columns();
    std::erase_if(columns, [&](const engine::Column& column) {
      return std::find(need.leave_out.begin(), need.leave_out.end(), column.name) !=
             need.leave_out.end();
    });
    if (columns.empty()) {
      fail(ErrorKind::kInvalid, "nodes.{}: its input '{}' has no columns to write", node.spec.name,
           input.name);
    }
    return columns;
  }

  // The rows of an upsert target: changes, with what tells which is the last of a key.
  void compile_changes(const GraphNode& node, const InputRelation& input,
                       const std::string& columns, CompiledTarget& target) {
    const tables::UpsertSpec& upsert = target.need.upsert;
    std::vector<std::string> needed = upsert.primary_key;
    if (upsert.sequence_by) {
      needed.push_back(*upsert.sequence_by);
      target.latest_first.push_back(engine::quote_identifier(*upsert.sequence_by) + " DESC");
    }
    if (input.has_lineage()) {
      for (const char* column : {"__topic", "__partition", "__offset"}) {
        target.latest_first.push_back(format("{} DESC", column));
      }
    }
    if (target.latest_first.empty()) {
      fail(ErrorKind::kInvalid,
           "nodes.{}: the rows of '{}' do not come straight from a topic, so nothing tells which "
           "change of a key is the last: set 'sequence_by'",
           node.spec.name, input.name);
    }
    std::string reason = "CASE";
    for (const std::string& column : needed) {
      check_stored(node, target, column);
      reason += format(
          " WHEN {} IS NULL THEN {}", engine::quote_identifier(column),
          engine::quote_literal(format("column {} is null, and table {} needs it to find the row",
                                       column, target.need.table.to_string())));
    }
    CompileContext context{spec_.name, node.spec.name, {}, {}, &found_};
    const std::string deleted = target.need.delete_when.empty()
                                    ? "false"
                                    : format("CAST(({}) AS BOOLEAN)", target.need.delete_when);
    const std::string positions = input.has_lineage() ? ", __topic, __partition, __offset" : "";
    target.select =
        with_chain(node.inputs) + format("SELECT {}, {} AS {}{} FROM ({}) AS {}", columns, deleted,
                                         tables::kDeletedColumn, positions,
                                         context.accepting(input, "*", reason + " END"),
                                         engine::quote_identifier(input.name));
    describe(node, target.select);
  }

  static void check_stored(const GraphNode& node, const CompiledTarget& target,
                           const std::string& column) {
    std::vector<std::string> names;
    for (const engine::Column& stored : target.columns) names.push_back(stored.name);
    if (std::find(names.begin(), names.end(), column) != names.end()) return;
    fail(ErrorKind::kInvalid,
         "nodes.{}: table {} gets no column '{}', which 'primary_key' or 'sequence_by' names; its "
         "columns are {}",
         node.spec.name, target.need.table.to_string(), column, join(names, ", "));
  }

  // WITH a AS (…), b AS (…): all that the nodes need, sources first.
  std::string with_chain(const std::vector<std::string>& wanted) {
    std::set<std::string> needed(wanted.begin(), wanted.end());
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      if (!needed.contains(node->spec.name)) continue;
      needed.insert(node->inputs.begin(), node->inputs.end());
    }
    std::vector<std::string> expressions;
    for (const GraphNode& node : nodes_) {
      if (!needed.contains(node.spec.name) || node.select.empty()) continue;
      expressions.push_back(format("{} AS NOT MATERIALIZED ({})",
                                   engine::quote_identifier(node.spec.name), node.select));
    }
    return expressions.empty() ? "" : format("WITH {} ", join(expressions, ", "));
  }

  std::vector<engine::Column> describe(const GraphNode& node, const std::string& sql) {
    try {
      return connection_.describe(sql);
    } catch (const Error& error) {
      throw error.with_context(format("job {}: nodes.{}", spec_.name, node.spec.name));
    }
  }

  void check_driving() {
    if (job_.driving.empty()) {
      fail(ErrorKind::kInvalid,
           "job {} has nothing that drives it: a topic, table or files that its rows come from",
           spec_.name);
    }
    for (const CompiledInput& input : job_.driving) {
      const bool is_topic = gives_records(input.need) && !input.need.as_records;
      if (job_.driving.size() > 1 && !is_topic) {
        fail(ErrorKind::kInvalid,
             "job {} is driven by '{}' and by {} more inputs: rows come from topics, or from one "
             "table, or from one "
             "set of files; put the others on the right of a join, or into jobs of their own",
             spec_.name, input.node, job_.driving.size() - 1);
      }
    }
  }

  const JobSpec& spec_;
  engine::Connection& connection_;
  InputLoader& loader_;
  const FoundFields& found_;
  std::vector<GraphNode> nodes_;
  CompiledJob job_;
};

}  // namespace

std::string static_table_name(const std::string& job, const std::string& node) {
  return engine::quote_name("static", job + "." + node);
}

std::string driving_view_name(const std::string& job, const std::string& node) {
  return engine::quote_name("static", job + "." + node + ".driving");
}

CompiledJob compile_job(const JobSpec& spec, engine::Connection& connection, InputLoader& loader,
                        const FoundFields& found) {
  return Compiler(spec, connection, loader, found).compile();
}

CompiledJob compile_sources(const JobSpec& spec) {
  CompiledJob job;
  job.name = spec.name;
  const std::vector<GraphNode> nodes = read_nodes(spec);
  std::set<std::string> parsed;
  for (const GraphNode& node : nodes) {
    if (node.node->takes_records()) parsed.insert(node.inputs.front());
  }
  std::map<std::string, std::string> topics;  // by node
  for (const GraphNode& node : nodes) {
    auto source = node.node->source();
    if (source && source->kind == SourceNeed::Kind::kTable && parsed.contains(node.spec.name)) {
      source->as_records = true;
      source->topic = source->table.to_string();
    }
    if (source && (source->kind == SourceNeed::Kind::kTopic || source->as_records)) {
      topics[node.spec.name] = source->topic;
      job.driving.push_back({node.spec.name, *source});
    }
    auto need = node.node->inference();
    if (!need) continue;
    const auto topic = topics.find(node.inputs.front());
    if (topic != topics.end()) {
      job.inferring.push_back({node.spec.name, topic->second, std::move(*need)});
    }
  }
  return job;
}

std::vector<std::pair<std::string, lake::TableIdentifier>> row_targets(const JobSpec& spec) {
  std::vector<std::pair<std::string, lake::TableIdentifier>> targets;
  std::set<std::string> topics;
  for (const GraphNode& node : read_nodes(spec)) {
    const auto source = node.node->source();
    if (source && source->kind == SourceNeed::Kind::kTopic) topics.insert(node.spec.name);
    const auto target = node.node->target();
    if (!target || topics.contains(node.inputs.front())) continue;
    targets.emplace_back(node.inputs.front(), target->table);
  }
  return targets;
}

}  // namespace headrace::jobs
