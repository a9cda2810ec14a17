#include "lake/row_deletes.h"

#include "base/error.h"
#include "lake/delete_writer.h"
#include "lake/vector_writer.h"

namespace headrace::lake {
namespace {

// Delete files of one data file before they are written as one, so that readers open a few at most.
constexpr size_t kMaxDeleteFiles = 8;

// Those that delete rows of this data file alone.
std::vector<DataFile> own_deletes(const DataFile& data_file) {
  std::vector<DataFile> own;
  for (const auto& file : data_file.deletes) {
    if (only_data_file_of(*file) == data_file.path) own.push_back(*file);
  }
  return own;
}

void append(std::vector<DataFile>& to, std::vector<DataFile> files) {
  to.insert(to.end(), files.begin(), files.end());
}

DeleteFiles delete_by_vectors(Catalog& catalog, FileSystem& files, Random& random,
                              const Table& table, const std::vector<DeletedRows>& deleted) {
  std::vector<FileDeletes> deletes;
  DeleteFiles result;
  for (const DeletedRows& some : deleted) {
    deletes.push_back({&some.file, &some.all});
    append(result.removed, own_deletes(some.file));
  }
  result.added = write_deletion_vectors(catalog, files, random, table, deletes);
  return result;
}

}  // namespace

DeleteFiles delete_rows(engine::Connection& connection, Catalog& catalog, FileSystem& files,
                        Random& random, const Table& table,
                        const std::vector<DeletedRows>& deleted) {
  if (table.metadata.format_version >= 3) {
    return delete_by_vectors(catalog, files, random, table, deleted);
  }
  DeleteFiles result;
  try {
    for (const DeletedRows& some : deleted) {
      std::vector<DataFile> own = own_deletes(some.file);
      const bool is_replacing = own.size() >= kMaxDeleteFiles;
      if (is_replacing) append(result.removed, std::move(own));
      result.added.push_back(write_position_deletes(connection, catalog, files, random, table,
                                                    some.file,
                                                    is_replacing ? some.all : some.fresh));
    }
  } catch (const Error&) {
    catalog.discard_files(result.added);
    throw;
  }
  return result;
}

}  // namespace headrace::lake
