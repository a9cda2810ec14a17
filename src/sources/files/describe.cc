#include "sources/files/files_source.h"
#include "sources/files/options.h"
#include "sources/source_type.h"

namespace headrace::sources::types::files {

SourceType describe() {
  SourceType type;
  type.name = "files";
  type.summary = "Files of a folder, read once or for as long as they grow";
  type.fields = FilesOptions::fields().list();
  type.example =
      "type: files\n"
      "topic: clicks\n"
      "path: data/**/*.ndjson.gz\n"
      "mode: once\n"
      "key: /user/id\n"
      "timestamp: time\n";
  type.read = [](const config::Node& settings, config::Problems& problems) -> BuildSource {
    const FilesOptions options = FilesOptions::fields().read(settings, problems);
    return [options](const SourceContext& context) { return make_files_source(context, options); };
  };
  return type;
}

}  // namespace headrace::sources::types::files
