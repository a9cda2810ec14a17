#include <string_view>

#include "base/error.h"
#include "lake/table.h"

namespace headrace::lake {
namespace {

constexpr std::string_view kScheme = "file://";

}  // namespace

std::string local_path(const std::string& uri) {
  if (uri.starts_with('/')) return uri;
  // file:/path and file:///path are both in use; file://host/path is not local.
  if (uri.starts_with("file:///")) return uri.substr(kScheme.size());
  if (uri.starts_with("file:/") && !uri.starts_with(kScheme)) return uri.substr(5);
  fail(ErrorKind::kInvalid, "opening {}: only file:// locations are local files", uri);
}

std::string file_uri(const std::string& path) {
  if (!path.starts_with('/')) {
    fail(ErrorKind::kInternal, "making a file URI of {}: the path is not absolute", path);
  }
  return std::string(kScheme) + path;
}

}  // namespace headrace::lake
