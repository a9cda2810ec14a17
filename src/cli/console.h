#pragma once

// The terminal, or the pipe or file that stands in its place: two outputs, one input, and what is
// known of them. Commands write through it, so that a test reads what a person would.
//
// Thread use: out() and err() by one thread at a time.

#include <string>
#include <string_view>

namespace headrace::cli {

// Raised by out() when the reader has gone (headrace tail | head): the command ends quietly.
struct OutputClosed {};

class Console {
 public:
  virtual ~Console() = default;

  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  // Hands over what is buffered; called before waiting and at the end.
  virtual void flush() = 0;

  virtual bool in_is_terminal() const = 0;
  virtual bool out_is_terminal() const = 0;
  virtual bool err_is_terminal() const = 0;
  // Columns of the terminal now; 0 when the output is not one.
  virtual int width() const = 0;
  virtual int height() const = 0;
  // Colour and dimming: only on a terminal, never under NO_COLOR, --no-color or TERM=dumb.
  virtual bool has_color() const = 0;
  virtual void disable_color() = 0;
  // Where commands read records and SQL from.
  virtual int in_descriptor() const = 0;
  virtual std::string environment(const std::string& name) const = 0;  // "" when not set
};

// The process's own standard streams.
class SystemConsole final : public Console {
 public:
  SystemConsole();
  ~SystemConsole() override;
  void out(std::string_view text) override;
  void err(std::string_view text) override;
  void flush() override;
  bool in_is_terminal() const override { return in_is_terminal_; }
  bool out_is_terminal() const override { return out_is_terminal_; }
  bool err_is_terminal() const override { return err_is_terminal_; }
  int width() const override;
  int height() const override;
  bool has_color() const override { return has_color_; }
  void disable_color() override { has_color_ = false; }
  int in_descriptor() const override { return 0; }
  std::string environment(const std::string& name) const override;

 private:
  bool in_is_terminal_, out_is_terminal_, err_is_terminal_, has_color_;
  std::string pending_;
};

enum class Style { kPlain, kDim, kBold, kRed, kYellow, kGreen };
// The text in that style when the console has colour, else as it is.
std::string styled(const Console& console, Style style, std::string_view text);

}  // namespace headrace::cli
