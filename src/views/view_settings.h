#pragma once

// The settings in the comments above a view's query, beside `table`.

#include <string>
#include <vector>

#include "config/fields.h"
#include "views/event_time.h"

namespace headrace::views {

inline config::Choices<Emit> choices_of(Emit) {
  return {
      {"on_change", Emit::kOnChange, "a window is seen from its first row on, and as it is now"},
      {"on_close", Emit::kOnClose, "a window is seen once it is closed, and final then"}};
}

struct ViewSettings {
  std::vector<std::string> partition_by;
  std::optional<milliseconds> watermark;
  std::optional<milliseconds> allowed_lateness;
  Emit emit = Emit::kOnChange;

  Closing closing() const { return {watermark, allowed_lateness.value_or(milliseconds(0)), emit}; }

  static config::Fields<ViewSettings> fields() {
    return config::Fields<ViewSettings>()
        .optional(
            "partition_by", &ViewSettings::partition_by,
            "how the table's files are cut: columns of the view, as they are or as year, month, "
            "day or "
            "hour of a time; late events then touch the files of their own day alone",
            config::example("[day(window_start)]"))
        .optional("watermark", &ViewSettings::watermark,
                  "how far the watermark stays behind the newest time of the window's column that "
                  "was committed; without it no window closes",
                  config::example("5m"), config::at_least(milliseconds(0)))
        .optional("allowed_lateness", &ViewSettings::allowed_lateness,
                  "how long after the watermark has passed its end a window is still corrected; "
                  "then it is closed, and what comes for it is counted as late and changes nothing",
                  config::example("1h"), config::at_least(milliseconds(0)))
        .optional("emit", &ViewSettings::emit, "when the row of a window is seen")
        .check(
            [](const ViewSettings& settings, const config::Node& node, config::Problems& problems) {
              if (settings.watermark) return;
              const char* needs = "needs a watermark, which tells when windows are over";
              if (settings.allowed_lateness) {
                problems.add(node.find_or_self("allowed_lateness"), needs,
                             "add a line as: -- watermark: 5m");
              }
              if (settings.emit == Emit::kOnClose) {
                problems.add(node.find_or_self("emit"), needs, "add a line as: -- watermark: 5m");
              }
            });
  }
};

}  // namespace headrace::views
