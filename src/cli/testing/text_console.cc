#include "cli/testing/text_console.h"

#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::cli::testing {

TextConsole::~TextConsole() {
  if (input >= 0) ::close(input);
}

void TextConsole::set_input(const std::string& text) {
  if (input >= 0) ::close(input);
  input = ::memfd_create("input", MFD_CLOEXEC);
  if (input < 0 || ::write(input, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(input, 0, SEEK_SET) != 0) {
    fail_errno(errno, "making", "a test's input");
  }
}

std::string TextConsole::environment(const std::string& name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

}  // namespace headrace::cli::testing
