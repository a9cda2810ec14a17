#include "app/outside_commits.h"

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

// A job's commit that is under way has ended by then, or something is wrong with it.
constexpr milliseconds kPatience{10'000};

}  // namespace

void OutsideCommits::check_may_go(const lake::TableIdentifier& table) {
  if (!tables_.is_in_use(table)) return;
  fail(ErrorKind::kDenied,
       "table {} cannot go: a running job writes to it, or a view is made of it; stop that first",
       table.to_string());
}

void OutsideCommits::gone(const lake::TableIdentifier& table) noexcept {
  try {
    tables_.forget(table);
  } catch (const std::exception& error) {
    telemetry::log_warning("app", "a dropped table is still shown",
                           {{"table", table.to_string()}, {"reason", error.what()}});
  }
}

void OutsideCommits::committed(const std::vector<lake::TableIdentifier>& tables) noexcept {
  for (const lake::TableIdentifier& table : tables) {
    try {
      tables_.refresh(table, kPatience);
    } catch (const std::exception& error) {
      // The commit stands; SQL shows the table as it was before.
      telemetry::log_warning("app", "a commit from outside could not be taken up",
                             {{"table", table.to_string()}, {"reason", error.what()}});
    }
  }
  try {
    views_.source_committed(tables);
  } catch (const std::exception& error) {
    telemetry::log_warning("app", "views were not told of a commit from outside",
                           {{"reason", error.what()}});
  }
}

}  // namespace headrace::app
