#include "objects/object_store.h"

#include "base/error.h"

namespace headrace::objects {

bool ObjectStore::exists(const std::string& uri) {
  try {
    head(uri);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return false;
    throw;
  }
}

}  // namespace headrace::objects
