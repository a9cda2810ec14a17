#pragma once

// A kind of source: what it is called, its settings, how one is made from them. Each is described
// in the describe.cc of a folder of this module, from which the build makes the registry.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/fields.h"
#include "sources/source.h"

namespace headrace::sources {

// Builds a source from settings that were read and are right. May be called several times.
using BuildSource = std::function<std::unique_ptr<Source>(const SourceContext& context)>;

struct SourceType {
  std::string name;     // as in `type: files`
  std::string summary;  // one line
  config::FieldList fields;
  std::string example;  // a whole file of sources/
  // Checks the settings without any I/O; what is wrong goes to `problems`, and then the result
  // must not be used. `name`, `type` and `topic` of the same map are the caller's to read.
  std::function<BuildSource(const config::Node& settings, config::Problems& problems)> read;
};

// All kinds, by name.
const std::vector<SourceType>& source_types();
// Nullptr when there is none of that name.
const SourceType* find_source_type(const std::string& name);

}  // namespace headrace::sources
