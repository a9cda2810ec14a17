#pragma once

// docs/reference: what can be written into a project's files, rendered from the declarations.

#include <string>
#include <vector>

#include "project/component_type.h"

namespace headrace::project {

struct ReferencePage {
  std::string path;  // in docs/reference: settings.md, jobs.md, settings.schema.json, …
  std::string content;
};

// A page and a JSON Schema for each kind of file. The same declarations give the same bytes.
std::vector<ReferencePage> reference_pages(const ComponentTypes& types);

}  // namespace headrace::project
