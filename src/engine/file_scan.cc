// headrace_files is DuckDB's own parquet_scan with another way to its files, as DuckDB's extensions
// for table formats do it. It speaks DuckDB's C++ interface, which its C interface has no way
// around: docs/decisions/0022-file-pruning.md. engine/tests/file_scan_test.cc fails when header and
// library part.

#include "engine/file_scan.h"

#include <atomic>
#include <numeric>
#include <optional>

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/common/multi_file/multi_file_data.hpp>
#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/table_filter.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>

#include "base/error.h"
#include "engine/client_context.h"
#include "engine/filter_expression.h"
#include "engine/named_members.h"

namespace headrace::engine {
namespace {

constexpr const char* kFunction = "headrace_files";
constexpr const char* kVersion = "version";
// How a file of the list that is opened tells its place in the whole list.
constexpr const char* kPlace = "headrace_place";
// Under which a connection keeps its tally.
constexpr const char* kTally = "headrace_files_scanned";

using FileListPtr = std::shared_ptr<const FileList>;

struct Tally final : public duckdb::ClientContextState {
  void QueryBegin(duckdb::ClientContext&) override {
    total = 0;
    read = 0;
  }
  std::atomic<int64_t> total = 0;
  std::atomic<int64_t> read = 0;
};

// What is left of a list.
class RemainingFiles final : public duckdb::MultiFileList {
 public:
  RemainingFiles(FileListPtr files, std::vector<size_t> places)
      : files_(std::move(files)), places_(std::move(places)) {}

  size_t size_of_list() const { return files_->size(); }
  const FileList& list() const { return *files_; }

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      duckdb::ClientContext&, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) const override {
    const ColumnPlace place = [&](const duckdb::ColumnBinding& binding) -> std::optional<size_t> {
      if (binding.table_index != info.table_index) return std::nullopt;
      if (binding.column_index >= info.column_indexes.size()) return std::nullopt;
      const duckdb::ColumnIndex& column = info.column_indexes[binding.column_index];
      if (column.IsVirtualColumn() || column.HasChildren()) return std::nullopt;
      return column.GetPrimaryIndex();
    };
    Condition condition{.kind = Condition::Kind::kAnd};
    std::string texts;
    for (const auto& filter : filters) {
      Condition part = condition_of(*filter, place);
      if (part.kind == Condition::Kind::kUnknown) continue;
      condition.parts.push_back(std::move(part));
      if (!texts.empty()) texts += " AND ";
      texts += filter->ToString();
    }
    auto remaining = without_those_beside(condition);
    if (!remaining) return nullptr;
    // What EXPLAIN shows. This may be asked again, with further filters.
    if (!info.extra_info.file_filters.empty()) info.extra_info.file_filters += " AND ";
    info.extra_info.file_filters += texts;
    info.extra_info.total_files = files_->size();
    info.extra_info.filtered_files = remaining->places_.size();
    return remaining;
  }

  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(
      duckdb::ClientContext&, const duckdb::MultiFileOptions&, const duckdb::vector<std::string>&,
      const duckdb::vector<duckdb::LogicalType>& types,
      const duckdb::vector<duckdb::column_t>& column_ids,
      duckdb::TableFilterSet& filters) const override {
    Condition condition{.kind = Condition::Kind::kAnd};
    for (const auto& [local, filter] : filters.filters) {
      const duckdb::column_t column = column_ids[local];
      if (duckdb::IsVirtualColumn(column)) continue;
      const duckdb::BoundColumnRefExpression reference(types[column],
                                                       duckdb::ColumnBinding(0, local));
      condition.parts.push_back(
          condition_of(*filter->ToExpression(reference),
                       [column](const duckdb::ColumnBinding&) { return std::optional(column); }));
    }
    return without_those_beside(condition);
  }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override {
    duckdb::vector<duckdb::OpenFileInfo> all;
    for (size_t i = 0; i < places_.size(); ++i) all.push_back(GetFile(i));
    return all;
  }
  duckdb::FileExpandResult GetExpandResult() const override {
    if (places_.empty()) return duckdb::FileExpandResult::NO_FILES;
    return places_.size() == 1 ? duckdb::FileExpandResult::SINGLE_FILE
                               : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  duckdb::idx_t GetTotalFileCount() const override { return places_.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) const override {
    int64_t rows = 0;
    for (const size_t place : places_) rows += files_->rows(place);
    return duckdb::make_uniq<duckdb::NodeStatistics>(static_cast<duckdb::idx_t>(rows));
  }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override {
    return duckdb::make_uniq<RemainingFiles>(files_, places_);
  }

 protected:
  duckdb::OpenFileInfo GetFile(duckdb::idx_t i) const override {
    if (i >= places_.size()) return duckdb::OpenFileInfo("");
    duckdb::OpenFileInfo file(in_engine([&] { return files_->path(places_[i]); }));
    file.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
    file.extended_info->options[kPlace] = duckdb::Value::UBIGINT(places_[i]);
    return file;
  }

 private:
  // nullptr: all can match.
  duckdb::unique_ptr<RemainingFiles> without_those_beside(const Condition& condition) const {
    auto matching = in_engine([&] { return files_->matching(places_, condition); });
    if (matching.size() == places_.size()) return nullptr;
    return duckdb::make_uniq<RemainingFiles>(files_, std::move(matching));
  }

  const FileListPtr files_;
  const std::vector<size_t> places_;
};

struct FunctionInfo final : public duckdb::TableFunctionInfo {
  FunctionInfo(FileListResolver with, duckdb::table_function_get_partition_stats_t stats)
      : resolver(std::move(with)), partition_stats(stats) {}
  const FileListResolver resolver;
  const duckdb::table_function_get_partition_stats_t partition_stats;  // of parquet_scan
};

// The rows of a list's file, as the engine asks for them.
class ReadRows final : public duckdb::DeleteFilter {
 public:
  explicit ReadRows(std::unique_ptr<RowFilter> filter) : filter_(std::move(filter)) {}

  duckdb::idx_t Filter(duckdb::row_t first, duckdb::idx_t count,
                       duckdb::SelectionVector& selection) override {
    selection.Initialize(count);
    return in_engine([&] { return filter_->keep(first, count, selection.data()); });
  }

 private:
  const std::unique_ptr<RowFilter> filter_;
};

class FileListReader final : public NamingReader {
 public:
  explicit FileListReader(duckdb::shared_ptr<duckdb::TableFunctionInfo> info)
      : info_(std::move(info)) {}

  static duckdb::unique_ptr<duckdb::MultiFileReader> make(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<FileListReader>(function.function_info);
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<std::string>& names,
                                                           const duckdb::FileGlobInput&) override {
    const auto& resolver = static_cast<const FunctionInfo&>(*info_).resolver;
    FileListPtr files = in_engine([&] { return resolver(names.at(0)); });
    std::vector<size_t> places(files->size());
    std::iota(places.begin(), places.end(), 0);
    return duckdb::make_shared_ptr<RemainingFiles>(std::move(files), std::move(places));
  }

  bool ParseOption(const std::string& name, const duckdb::Value& value,
                   duckdb::MultiFileOptions& options, duckdb::ClientContext& context) override {
    if (name != kVersion) return NamingReader::ParseOption(name, value, options, context);
    version_ = value.GetValue<int64_t>();
    return true;
  }
  bool may_leave_rows_out() const { return version_.has_value(); }

  duckdb::unique_ptr<duckdb::MultiFileReaderGlobalState> InitializeGlobalState(
      duckdb::ClientContext& context, const duckdb::MultiFileOptions& options,
      const duckdb::MultiFileReaderBindData& bind_data, const duckdb::MultiFileList& files,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids) override {
    auto tally = context.registered_state->GetOrCreate<Tally>(kTally);
    tally->total += static_cast<int64_t>(static_cast<const RemainingFiles&>(files).size_of_list());
    tally->read += static_cast<int64_t>(files.GetTotalFileCount());
    return MultiFileReader::InitializeGlobalState(context, options, bind_data, files, columns,
                                                  column_ids);
  }

  duckdb::ReaderInitializeType InitializeReader(
      duckdb::MultiFileReaderData& reader_data, const duckdb::MultiFileBindData& bind_data,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters, duckdb::ClientContext& context,
      duckdb::MultiFileGlobalState& state) override {
    duckdb::BaseFileReader& reader = *reader_data.reader;
    // Becomes file_index.
    const auto place = reader.file.extended_info->options.at(kPlace).GetValue<uint64_t>();
    reader.file_list_idx = place;
    if (version_) {
      const auto& files = static_cast<const RemainingFiles&>(*bind_data.file_list);
      auto filter = in_engine([&] { return files.list().rows_read(place, *version_); });
      if (filter) reader.deletion_filter = duckdb::make_uniq<ReadRows>(std::move(filter));
    }
    return NamingReader::InitializeReader(reader_data, bind_data, columns, column_ids, filters,
                                          context, state);
  }

  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<FileListReader>(info_);
    copy_to(*copy);
    copy->version_ = version_;
    return copy;
  }

 private:
  const duckdb::shared_ptr<duckdb::TableFunctionInfo> info_;
  std::optional<int64_t> version_;
};

// count(*) is answered from the files' footers, where no row is left out.
duckdb::vector<duckdb::PartitionStatistics> partition_stats(duckdb::ClientContext& context,
                                                            duckdb::GetPartitionStatsInput& input) {
  const auto& bind_data = input.bind_data->Cast<duckdb::MultiFileBindData>();
  if (static_cast<const FileListReader&>(*bind_data.multi_file_reader).may_leave_rows_out())
    return {};
  const auto& info = static_cast<const FunctionInfo&>(*input.table_function.function_info);
  return info.partition_stats == nullptr ? duckdb::vector<duckdb::PartitionStatistics>{}
                                         : info.partition_stats(context, input);
}

void create_function(duckdb::ClientContext& context, FileListResolver resolver) {
  duckdb::TableFunction function = parquet_function(context, duckdb::LogicalType::VARCHAR);
  function.name = kFunction;
  function.get_multi_file_reader = FileListReader::make;
  function.function_info =
      duckdb::make_shared_ptr<FunctionInfo>(std::move(resolver), function.get_partition_stats);
  function.get_partition_stats = partition_stats;
  function.named_parameters[kVersion] = duckdb::LogicalType::BIGINT;
  // Asked for the table behind the scan, which is none, it would name every file each time.
  function.get_bind_info = nullptr;
  duckdb::TableFunctionSet functions(kFunction);
  functions.AddFunction(std::move(function));
  duckdb::CreateTableFunctionInfo info(std::move(functions));
  info.on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
  duckdb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, info);
}

}  // namespace

void register_file_scan(Database::State& state, FileListResolver resolver) {
  with_engine(state, "the SQL engine takes no lists of files", [&](duckdb::ClientContext& context) {
    context.RunFunctionInTransaction([&] { create_function(context, std::move(resolver)); });
  });
}

Connection::FilesScanned Connection::files_scanned() const {
  return with_client_context(state_->connection, [](duckdb::ClientContext& context) {
    const auto tally = context.registered_state->Get<Tally>(kTally);
    return tally ? FilesScanned{tally->total, tally->read} : FilesScanned{};
  });
}

}  // namespace headrace::engine
