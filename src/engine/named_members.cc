#include "engine/named_members.h"

#include <algorithm>

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <duckdb/common/multi_file/base_file_reader.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>

#include "engine/client_context.h"

namespace headrace::engine {
namespace {

constexpr const char* kParquetFunction = "headrace_parquet";
constexpr const char* kMembers = "members";

using FileColumn = duckdb::MultiFileColumnDefinition;

class Namer {
 public:
  explicit Namer(const MemberNames& names) : names_(names) {}

  // Names what is in the column; false: it was so already.
  bool name_inside(FileColumn& column) const {
    switch (column.type.id()) {
      case duckdb::LogicalTypeId::STRUCT:
        return name_members(column);
      case duckdb::LogicalTypeId::LIST:
        return name_in_list(column);
      case duckdb::LogicalTypeId::MAP:
        return name_in_map(column);
      default:
        return false;
    }
  }

 private:
  bool name_members(FileColumn& column) const {
    if (column.children.size() != duckdb::StructType::GetChildCount(column.type)) return false;
    bool is_changed = false;
    for (FileColumn& member : column.children) {
      is_changed |= name_inside(member);
      std::string name = name_of(member);
      if (name == member.name) continue;
      member.name = std::move(name);
      is_changed = true;
    }
    if (!is_changed) return false;
    duckdb::child_list_t<duckdb::LogicalType> members;
    for (const FileColumn& member : column.children) members.emplace_back(member.name, member.type);
    column.type = duckdb::LogicalType::STRUCT(std::move(members));
    return true;
  }

  bool name_in_list(FileColumn& column) const {
    if (column.children.size() != 1 || !name_inside(column.children[0])) return false;
    column.type = duckdb::LogicalType::LIST(column.children[0].type);
    return true;
  }

  // It has one child: the struct of key and value, whose names are always these.
  bool name_in_map(FileColumn& column) const {
    if (column.children.size() != 1 || column.children[0].children.size() != 2) return false;
    FileColumn& entry = column.children[0];
    bool is_changed = false;
    for (FileColumn& part : entry.children) is_changed |= name_inside(part);
    if (!is_changed) return false;
    column.type = duckdb::LogicalType::MAP(entry.children[0].type, entry.children[1].type);
    entry.type = duckdb::ListType::GetChildType(column.type);
    return true;
  }

  std::string name_of(const FileColumn& member) const {
    const auto& id = member.identifier;
    if (id.IsNull() || id.type().id() != duckdb::LogicalTypeId::INTEGER) return member.name;
    const auto found = names_.find(id.GetValue<int32_t>());
    if (found != names_.end()) return found->second;
    std::string name = format("\x01{}", id.GetValue<int32_t>());
    const auto is_taken = [&](const auto& known) { return known.second == name; };
    while (std::any_of(names_.begin(), names_.end(), is_taken)) name.insert(0, "\x01");
    return name;
  }

  const MemberNames& names_;
};

void create_parquet_function(duckdb::ClientContext& context) {
  duckdb::TableFunction function =
      parquet_function(context, duckdb::LogicalType::LIST(duckdb::LogicalType::VARCHAR));
  function.name = kParquetFunction;
  function.get_multi_file_reader = NamingReader::make;
  duckdb::TableFunctionSet functions(kParquetFunction);
  functions.AddFunction(std::move(function));
  duckdb::CreateTableFunctionInfo info(std::move(functions));
  duckdb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, info);
}

}  // namespace

duckdb::unique_ptr<duckdb::MultiFileReader> NamingReader::make(const duckdb::TableFunction&) {
  return duckdb::make_uniq<NamingReader>();
}

bool NamingReader::ParseOption(const std::string& name, const duckdb::Value& value,
                               duckdb::MultiFileOptions& options, duckdb::ClientContext& context) {
  if (name != kMembers) return MultiFileReader::ParseOption(name, value, options, context);
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(value)) {
    const auto& id_and_name = duckdb::StructValue::GetChildren(entry);
    names_[id_and_name[0].GetValue<int32_t>()] = duckdb::StringValue::Get(id_and_name[1]);
  }
  return true;
}

duckdb::ReaderInitializeType NamingReader::InitializeReader(
    duckdb::MultiFileReaderData& reader_data, const duckdb::MultiFileBindData& bind_data,
    const duckdb::vector<FileColumn>& columns,
    const duckdb::vector<duckdb::ColumnIndex>& column_ids,
    duckdb::optional_ptr<duckdb::TableFilterSet> filters, duckdb::ClientContext& context,
    duckdb::MultiFileGlobalState& state) {
  const Namer namer(names_);
  if (!names_.empty()) {
    for (FileColumn& column : reader_data.reader->columns) namer.name_inside(column);
  }
  return MultiFileReader::InitializeReader(reader_data, bind_data, columns, column_ids, filters,
                                           context, state);
}

duckdb::unique_ptr<duckdb::MultiFileReader> NamingReader::Copy() const {
  auto copy = duckdb::make_uniq<NamingReader>();
  copy_to(*copy);
  return copy;
}

void NamingReader::copy_to(NamingReader& copy) const {
  copy.function_name = function_name;
  copy.names_ = names_;
}

duckdb::TableFunction parquet_function(duckdb::ClientContext& context,
                                       const duckdb::LogicalType& argument) {
  auto& parquet =
      duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::TableFunctionCatalogEntry>(
          context, DEFAULT_SCHEMA, "parquet_scan");
  duckdb::TableFunction function = parquet.functions.GetFunctionByArguments(context, {argument});
  function.named_parameters[kMembers] =
      duckdb::LogicalType::MAP(duckdb::LogicalType::INTEGER, duckdb::LogicalType::VARCHAR);
  // They know nothing of the reader that is put in.
  function.serialize = nullptr;
  function.deserialize = nullptr;
  return function;
}

void register_named_members(Database::State& state) {
  with_engine(state, "starting the SQL engine", [](duckdb::ClientContext& context) {
    context.RunFunctionInTransaction([&] { create_parquet_function(context); });
  });
}

}  // namespace headrace::engine
