#include "sources/source_type.h"

namespace headrace::sources {

const SourceType* find_source_type(const std::string& name) {
  for (const SourceType& type : source_types()) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace headrace::sources
