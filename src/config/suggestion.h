#pragma once

// "did you mean …?" for a name that is not there.

#include <string>
#include <string_view>
#include <vector>

namespace headrace::config {

// Insertions, deletions, replacements and swaps of neighbours that make one of the other
// (optimal string alignment), without regard to case.
int edit_distance(std::string_view a, std::string_view b);

// The nearest of `candidates`, empty when none is near enough to be meant: at most two edits, and
// fewer than half of the letters.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// "did you mean 'batch'?", or "there are: a, b, c" for up to `listed` candidates, or nothing.
std::string suggest(std::string_view name, const std::vector<std::string>& candidates,
                    size_t listed = 12);

}  // namespace headrace::config
