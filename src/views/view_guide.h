#pragma once

// What docs/reference/views.md says beside the settings: what a query may be made of.

#include <string>

namespace headrace::views {

std::string view_guide();  // Markdown

}  // namespace headrace::views
