#pragma once

// Parquet files whose members of structs are found by their field ids, at any depth, which
// DuckDB's parameter `schema` does for whole columns only:
//
//   headrace_parquet(['a.parquet', 'b.parquet'], schema = MAP {…}, members = MAP {7: 'city'})
//
// `members` tells how the member with a field id is called in the types of `schema`. Before a file
// is read, its members get these names; those with other ids get names that no type has. Members
// without an id keep their names. Further parameters are those of read_parquet.
//
// For the files of this module that speak DuckDB's C++ interface. Thread use: DuckDB has a reader
// for each query, and opens its files from any thread.

#include <cstdint>
#include <map>
#include <string>

#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/function/table_function.hpp>

namespace headrace::engine {

using MemberNames = std::map<int32_t, std::string>;  // by field id

class NamingReader : public duckdb::MultiFileReader {
 public:
  static duckdb::unique_ptr<duckdb::MultiFileReader> make(const duckdb::TableFunction& function);

  bool ParseOption(const std::string& name, const duckdb::Value& value,
                   duckdb::MultiFileOptions& options, duckdb::ClientContext& context) override;
  duckdb::ReaderInitializeType InitializeReader(
      duckdb::MultiFileReaderData& reader_data, const duckdb::MultiFileBindData& bind_data,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters, duckdb::ClientContext& context,
      duckdb::MultiFileGlobalState& state) override;
  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override;

 protected:
  void copy_to(NamingReader& copy) const;

 private:
  MemberNames names_;
};

// DuckDB's parquet_scan of this argument, which is to be given a NamingReader and a name; it takes
// `members`.
duckdb::TableFunction parquet_function(duckdb::ClientContext& context,
                                       const duckdb::LogicalType& argument);

}  // namespace headrace::engine
