#include "lake/vector_writer.h"

#include "base/error.h"
#include "lake/deletion_vector.h"
#include "lake/puffin.h"

namespace headrace::lake {
namespace {

constexpr int kPositionColumn = 2147483645;  // _pos, of the spec's reserved field ids

// Makes the bytes a file of the table; returns its URI.
std::string publish(Catalog& catalog, FileSystem& files, Random& random, const Table& table,
                    const std::string& bytes) {
  const std::string path =
      format("{}/{}-deletes.puffin", catalog.data_directory(table), make_uuid(random));
  try {
    files.write_new(path, bytes);
    return catalog.publish_files(table, {path}).front();
  } catch (const Error& error) {
    try {
      files.remove(path);
    } catch (const Error&) {
      // It stays as an orphan; the first error is the one to tell.
    }
    throw error.with_context(
        format("writing deletion vectors of {}", table.identifier.to_string()));
  }
}

}  // namespace

std::vector<DataFile> write_deletion_vectors(Catalog& catalog, FileSystem& files, Random& random,
                                             const Table& table,
                                             const std::vector<FileDeletes>& deletes) {
  std::vector<DataFile> vectors;
  if (deletes.empty()) return vectors;
  PuffinWriter writer;
  for (const FileDeletes& some : deletes) {
    const int64_t count = some.positions->count();
    if (count == 0) {
      fail(ErrorKind::kInternal, "writing deletes of {}: there are none", some.data_file->path);
    }
    const PuffinBlob blob =
        writer.add({.type = kDeletionVectorBlob,
                    .fields = {kPositionColumn},
                    .properties = {{"referenced-data-file", some.data_file->path},
                                   {"cardinality", format("{}", count)}}},
                   write_deletion_vector(*some.positions));
    DataFile vector;
    vector.content = FileContent::kPositionDeletes;
    vector.spec_id = some.data_file->spec_id;
    vector.partition = some.data_file->partition;
    vector.record_count = count;
    vector.referenced_data_file = some.data_file->path;
    vector.content_offset = blob.offset;
    vector.content_size_bytes = blob.length;
    vectors.push_back(std::move(vector));
  }
  const std::string bytes = std::move(writer).finish();
  const std::string uri = publish(catalog, files, random, table, bytes);
  for (DataFile& vector : vectors) {
    vector.path = uri;
    vector.file_size_bytes = static_cast<int64_t>(bytes.size());
  }
  return vectors;
}

}  // namespace headrace::lake
