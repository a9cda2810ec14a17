// How files that the engine wrote become files of a table: in a folder they are written in place,
// for S3 into a folder of their own, from where they are uploaded. What a process that was killed
// left there is removed at the next start (app/).

#include "base/error.h"
#include "lake/store_catalog.h"

namespace headrace::lake {

std::string StoreCatalog::data_directory(const Table& table) {
  if (objects::is_s3(table.metadata.location)) {
    if (options_.staging.empty()) {
      fail(ErrorKind::kInternal, "writing to {}: there is no folder for files on their way to S3",
           table.identifier.to_string());
    }
    file_system_.create_directories(options_.staging);
    return options_.staging;
  }
  const std::string path = local_path(table.metadata.location) + "/data";
  objects_.make_folder(file_uri(path));
  return path;
}

std::vector<std::string> StoreCatalog::publish_files(const Table& table,
                                                     const std::vector<std::string>& paths) {
  std::vector<std::string> uris;
  if (!objects::is_s3(table.metadata.location)) {
    for (const std::string& path : paths) {
      file_system_.sync_file(path);
      uris.push_back(file_uri(path));
    }
    if (!paths.empty()) {
      file_system_.sync_directory(local_path(table.metadata.location) + "/data");
    }
    return uris;
  }
  const std::string folder = objects::normalized(table.metadata.location) + "/data/";
  try {
    for (const std::string& path : paths) {
      uris.push_back(folder + path.substr(path.rfind('/') + 1));
      objects_.upload(path, uris.back());
      file_system_.remove(path);
    }
  } catch (const Error&) {
    files_.remove_best_effort(uris);
    throw;
  }
  return uris;
}

void StoreCatalog::discard_files(const std::vector<DataFile>& written) noexcept {
  std::vector<std::string> uris;
  for (const DataFile& file : written) uris.push_back(file.path);
  files_.remove_best_effort(uris);
}

}  // namespace headrace::lake
