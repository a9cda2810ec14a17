#include "app/program.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  const auto host = headrace::app::make_host();
  return headrace::cli::run_command_line(argc, argv, *host);
}
