#include "views/view_circle.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"

namespace headrace::views {
namespace {

// From each view down through the views that it reads.
class Search {
 public:
  explicit Search(const std::vector<ViewTables>& views) {
    for (const ViewTables& view : views) writers_[view.table] = &view;
  }

  // True when it came to a circle, which is the end of path() then.
  bool visit(const ViewTables& view) {
    if (done_.contains(&view)) return false;
    const bool is_known = std::find(path_.begin(), path_.end(), view.name) != path_.end();
    path_.push_back(view.name);
    if (is_known) return true;
    for (const lake::TableIdentifier& input : view.inputs) {
      const auto writer = writers_.find(input);
      if (writer != writers_.end() && visit(*writer->second)) return true;
    }
    path_.pop_back();
    done_.insert(&view);
    return false;
  }

  const std::vector<std::string>& path() const { return path_; }

 private:
  std::map<lake::TableIdentifier, const ViewTables*> writers_;
  std::set<const ViewTables*> done_;
  std::vector<std::string> path_;
};

}  // namespace

std::vector<std::string> find_circle(const std::vector<ViewTables>& views) {
  Search search(views);
  for (const ViewTables& view : views) {
    if (!search.visit(view)) continue;
    const std::vector<std::string>& path = search.path();
    return {std::find(path.begin(), path.end(), path.back()), path.end()};
  }
  return {};
}

std::string describe_circle(const std::vector<std::string>& circle) {
  return format("{}", join(circle, " reads "));
}

}  // namespace headrace::views
