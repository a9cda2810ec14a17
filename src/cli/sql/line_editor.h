#pragma once

// Reads lines from a person: editing, history, completion.
//
// Life cycle: one at a time in a process (libedit keeps its state in globals). Thread use: one.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

struct LineInput {
  enum class Kind { kLine, kInterrupted, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
};

class LineEditor {
 public:
  // Candidates for the word before the cursor, given the line up to there.
  using Complete =
      std::function<std::vector<std::string>(std::string_view line, std::string_view word)>;

  virtual ~LineEditor() = default;
  // kInterrupted after Ctrl-C, kEnd after Ctrl-D on an empty line.
  virtual LineInput read_line(const std::string& prompt) = 0;
  virtual void remember(const std::string& entry) = 0;
};

// libedit on the terminal. History is kept in `history_path` (empty: not kept), readable by its
// owner only; a history that cannot be read or written is done without.
std::unique_ptr<LineEditor> make_terminal_editor(const std::string& history_path,
                                                 LineEditor::Complete complete);

}  // namespace headrace::cli
