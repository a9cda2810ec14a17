#pragma once

// The settings in the comments above a view's query, beside `table`.

#include <string>
#include <vector>

#include "config/fields.h"

namespace headrace::views {

struct ViewSettings {
  std::vector<std::string> partition_by;

  static config::Fields<ViewSettings> fields() {
    return config::Fields<ViewSettings>().optional(
        "partition_by", &ViewSettings::partition_by,
        "how the table's files are cut: columns of the view, as they are or as year, month, day or "
        "hour of a time; late events then touch the files of their own day alone",
        config::example("[day(window_start)]"));
  }
};

}  // namespace headrace::views
