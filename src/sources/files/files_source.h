#pragma once

// Reads files that a glob matches into a topic, once or for as long as they grow. See the README
// for positions and the way of a record.

#include <memory>

#include "sources/files/options.h"
#include "sources/source.h"

namespace headrace::sources {

std::unique_ptr<Source> make_files_source(const SourceContext& context,
                                          const FilesOptions& options);

}  // namespace headrace::sources
