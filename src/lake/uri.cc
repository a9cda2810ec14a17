#include "objects/uri.h"

#include "lake/table.h"

namespace headrace::lake {

std::string engine_path(const std::string& uri) {
  return objects::is_s3(uri) ? objects::parse_s3(uri).to_uri() : local_path(uri);
}

}  // namespace headrace::lake
