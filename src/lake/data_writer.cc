#include "lake/data_writer.h"

#include <algorithm>

#include "base/error.h"
#include "lake/column_statistics.h"
#include "lake/field_ids.h"
#include "lake/row_lineage.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

// What COPY … RETURN_STATS tells of one file.
struct WrittenFile {
  std::string path;
  PartitionValues partition;
  DataFile statistics;
};

// Columns that only say which partition a row goes to; they do not get into the file.
std::string partition_column(const Schema& schema, size_t index) {
  std::string name = format("_partition_{}", index);
  while (schema.find(name) != nullptr) name.insert(0, "_");
  return name;
}

std::string select_sql(const Schema& schema, const PartitionSpec& spec, const std::string& select,
                       const WriteOptions& options) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) {
    const std::string name = quote_identifier(field.name);
    columns.push_back(format("CAST({} AS {}) AS {}", name, to_duckdb(field.type), name));
  }
  std::string inner = format("SELECT {} FROM ({}\n)", join(columns, ", "), select);
  std::vector<std::string> partitions;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const Field* source = schema.find_id(spec.fields[i].source_id);
    if (source == nullptr || schema.find(source->name) != source) {
      fail(ErrorKind::kUnsupported,
           "writing to a table partitioned by \"{}\": its source is not a column of the table",
           spec.fields[i].name);
    }
    const Transform& transform = spec.fields[i].transform;
    std::string value = transform_sql(transform, quote_identifier(source->name), source->type);
    const TypeKind kind = result_type(transform, source->type).kind;
    // The engine would take bytes for text that is to be part of a path.
    if (kind == TypeKind::kBinary || kind == TypeKind::kFixed)
      value = format("CAST({} AS VARCHAR)", value);
    partitions.push_back(format("{} AS {}", value, quote_identifier(partition_column(schema, i))));
  }
  if (!partitions.empty()) inner = format("SELECT *, {} FROM ({})", join(partitions, ", "), inner);
  if (!options.order_by.empty()) inner += " ORDER BY " + options.order_by;
  return inner;
}

// `spec`: by which rows are divided among files.
std::string copy_sql(const Schema& schema, const PartitionSpec& spec, const std::string& select,
                     const std::string& path, const WriteOptions& options) {
  std::string sql = format(
      "COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}, FIELD_IDS {}, "
      "RETURN_STATS",
      select_sql(schema, spec, select, options), quote_literal(path), options.row_group_rows,
      field_ids_sql(schema));
  if (spec.fields.empty()) return sql + ", WRITE_EMPTY_FILE false)";
  std::vector<std::string> columns;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    columns.push_back(quote_identifier(partition_column(schema, i)));
  }
  return sql + format(
                   ", PARTITION_BY ({}), WRITE_PARTITION_COLUMNS false, "
                   "FILENAME_PATTERN 'part-{{uuid}}')",
                   join(columns, ", "));
}

// The columns that get into files.
Schema written_schema(const Table& table, const WriteOptions& options) {
  Schema schema = table.metadata.current_schema();
  if (!options.keeps_row_ids) return schema;
  for (Field& field : lineage_fields(schema)) schema.fields.push_back(std::move(field));
  return schema;
}

int64_t count_at(const engine::Chunk& chunk, size_t column, size_t row) {
  return static_cast<int64_t>(chunk.column(column).data<uint64_t>()[row]);
}

size_t column_named(const engine::Result& result, std::string_view name) {
  for (size_t i = 0; i < result.columns().size(); ++i) {
    if (result.columns()[i].name == name) return i;
  }
  fail(ErrorKind::kInternal, "writing data files: the engine tells no {}", name);
}

PartitionValues partition_at(const engine::VectorView& keys, size_t row, const Schema& schema,
                             const PartitionSpec& spec) {
  const TextMap values = read_text_map(keys, row);
  PartitionValues partition;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const auto found = values.find(partition_column(schema, i));
    if (found == values.end()) {
      fail(ErrorKind::kInternal, "writing data files: the engine tells no value of partition {}",
           spec.fields[i].name);
    }
    partition.push_back(found->second);
  }
  return partition;
}

std::vector<WrittenFile> run_copy(engine::Connection& connection, const std::string& sql,
                                  const Schema& schema, const PartitionSpec& spec) {
  engine::Result result = connection.query(sql);
  const size_t path = column_named(result, "filename");
  const size_t count = column_named(result, "count");
  const size_t size = column_named(result, "file_size_bytes");
  const size_t statistics = column_named(result, "column_statistics");
  const size_t keys = column_named(result, "partition_keys");
  std::vector<WrittenFile> written;
  while (const engine::Chunk* chunk = result.next()) {
    for (size_t row = 0; row < chunk->rows(); ++row) {
      WrittenFile file;
      file.path = chunk->column(path).string(row);
      file.statistics.record_count = count_at(*chunk, count, row);
      file.statistics.file_size_bytes = count_at(*chunk, size, row);
      add_column_statistics(file.statistics, schema, chunk->column(statistics), row);
      if (!spec.fields.empty()) {
        file.partition = partition_at(chunk->column(keys), row, schema, spec);
      }
      written.push_back(std::move(file));
    }
  }
  return written;
}

// Hands over what was written, which lies at `paths` by now.
std::vector<DataFile> finish(Catalog& catalog, const Table& table,
                             std::vector<WrittenFile>& written,
                             const std::vector<std::string>& paths) {
  const std::vector<std::string> uris = catalog.publish_files(table, paths);
  std::vector<DataFile> result;
  for (size_t i = 0; i < written.size(); ++i) {
    DataFile data = std::move(written[i].statistics);
    data.path = uris[i];
    data.spec_id = table.metadata.default_spec_id;
    data.partition = std::move(written[i].partition);
    result.push_back(std::move(data));
  }
  return result;
}

// What stays of a failed write is an orphan; the first error is the one to tell.
void remove_best_effort(FileSystem& files, const std::vector<std::string>& paths) noexcept {
  for (const std::string& path : paths) {
    try {
      files.remove_all(path);
    } catch (const std::exception&) {
      continue;
    }
  }
}

// One directory per value would need its name escaped and its entry synced; the manifest knows the
// partition, so all files lie side by side. DuckDB writes directories, into a place of its own.
std::vector<DataFile> write_partitioned(engine::Connection& connection, Catalog& catalog,
                                        FileSystem& files, const std::string& name,
                                        const Table& table, const std::string& select,
                                        const WriteOptions& options) {
  const Schema& schema = table.metadata.current_schema();
  const PartitionSpec& spec = table.metadata.default_spec();
  const std::string directory = catalog.data_directory(table);
  const std::string staging = directory + "/.writing-" + name;
  std::vector<std::string> paths;
  std::vector<DataFile> result;
  try {
    const std::string sql =
        copy_sql(written_schema(table, options), spec, select, staging, options);
    std::vector<WrittenFile> written = run_copy(connection, sql, schema, spec);
    for (const WrittenFile& file : written) {
      paths.push_back(format("{}/{}-{:05}.parquet", directory, name, paths.size()));
      files.rename(file.path, paths.back());
    }
    result = finish(catalog, table, written, paths);
  } catch (const Error&) {
    paths.push_back(staging);
    remove_best_effort(files, paths);
    throw;
  }
  files.remove_all(staging);
  return result;
}

std::vector<DataFile> write_unpartitioned(engine::Connection& connection, Catalog& catalog,
                                          FileSystem& files, const std::string& name,
                                          const Table& table, const std::string& select,
                                          const WriteOptions& options) {
  const Schema& schema = table.metadata.current_schema();
  const std::string path = format("{}/{}.parquet", catalog.data_directory(table), name);
  const PartitionSpec undivided;
  try {
    const std::string sql =
        copy_sql(written_schema(table, options), undivided, select, path, options);
    std::vector<WrittenFile> written = run_copy(connection, sql, schema, undivided);
    std::vector<std::string> paths;
    for (WrittenFile& file : written) {
      paths.push_back(file.path);
      file.partition = options.partition.value_or(PartitionValues());
    }
    return finish(catalog, table, written, paths);
  } catch (const Error&) {
    remove_best_effort(files, {path});
    throw;
  }
}

}  // namespace

std::vector<DataFile> write_data_files(engine::Connection& connection, Catalog& catalog,
                                       FileSystem& files, Random& random, const Table& table,
                                       const std::string& select, const WriteOptions& options) {
  const std::string name = make_uuid(random);
  const bool is_one_file = options.partition || table.metadata.default_spec().fields.empty();
  const auto write = is_one_file ? write_unpartitioned : write_partitioned;
  try {
    auto written = write(connection, catalog, files, name, table, select, options);
    for (DataFile& file : written) file.sort_order_id = options.sort_order_id;
    return written;
  } catch (const Error& error) {
    throw error.with_context(format("writing data files of {}", table.identifier.to_string()));
  }
}

}  // namespace headrace::lake
