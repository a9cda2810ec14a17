#pragma once

// A console that keeps what is printed.

#include <map>
#include <string>

#include "cli/console.h"

namespace headrace::cli::testing {

class TextConsole final : public Console {
 public:
  ~TextConsole() override;
  void out(std::string_view text) override {
    if (closes_after >= 0 && static_cast<int>(output.size()) >= closes_after) throw OutputClosed{};
    output += text;
  }
  void err(std::string_view text) override { errors += text; }
  void flush() override {}
  bool in_is_terminal() const override { return is_terminal; }
  bool out_is_terminal() const override { return is_terminal; }
  bool err_is_terminal() const override { return is_terminal; }
  int width() const override { return is_terminal ? columns : 0; }
  int height() const override { return 24; }
  bool has_color() const override { return has_colors; }
  void disable_color() override { has_colors = false; }
  int in_descriptor() const override { return input; }
  std::string environment(const std::string& name) const override;

  // What standard input holds.
  void set_input(const std::string& text);

  std::string output, errors;
  bool is_terminal = false;
  bool has_colors = false;
  int columns = 80;
  int closes_after = -1;  // bytes after which the reader is gone
  std::map<std::string, std::string> variables;

 private:
  int input = -1;
};

}  // namespace headrace::cli::testing
