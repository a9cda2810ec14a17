#include "config/suggestion.h"

#include <algorithm>
#include <cctype>
#include <climits>

#include "base/format.h"
#include "base/text.h"

namespace headrace::config {

namespace {

constexpr size_t kLongestName = 100;  // longer ones are not worth the comparison
constexpr int kMostEdits = 2;

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int>> cost(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = cost[i - 1][j - 1] + (to_lower(a[i - 1]) == to_lower(b[j - 1]) ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
                           to_lower(a[i - 2]) == to_lower(b[j - 1]);
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kLongestName) return "";
  std::string best;
  int best_score = INT_MAX;  // among equally distant ones, the one that begins alike is meant
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const int distance = edit_distance(name, candidate);
    const size_t letters = std::max(name.size(), candidate.size());
    if (distance > kMostEdits || static_cast<size_t>(distance) * 2 >= letters) continue;
    const bool begins_alike = name.substr(0, 1) == candidate.substr(0, 1);
    const int score = 2 * distance + (begins_alike ? 0 : 1);
    if (score < best_score) {
      best = candidate;
      best_score = score;
    }
  }
  return best;
}

std::string suggest(std::string_view name, const std::vector<std::string>& candidates,
                    size_t listed) {
  const std::string meant = nearest(name, candidates);
  if (!meant.empty()) return format("did you mean '{}'?", meant);
  if (candidates.empty() || candidates.size() > listed) return "";
  return format("there {}: {}", candidates.size() == 1 ? "is" : "are", join(candidates, ", "));
}

}  // namespace headrace::config
