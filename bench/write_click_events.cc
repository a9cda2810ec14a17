// Writes click events as NDJSON: write_click_events COUNT FILE [BROKEN_SHARE]

#include <cstdio>
#include <cstdlib>
#include <string>

#include "click_events.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s COUNT FILE [BROKEN_SHARE]\n", argv[0]);
    return 64;
  }
  const int64_t count = std::strtoll(argv[1], nullptr, 10);
  headrace::bench::ClickEvents events(count, argc > 3 ? std::strtod(argv[3], nullptr) : 0.01);

  std::FILE* file = std::fopen(argv[2], "wb");
  if (file == nullptr) {
    std::perror(argv[2]);
    return 1;
  }
  std::string lines;
  bool written = true;
  for (int64_t i = 0; i < count; ++i) {
    events.append_next(lines);
    if (lines.size() > (1U << 20U) || i + 1 == count) {
      written = written && std::fwrite(lines.data(), 1, lines.size(), file) == lines.size();
      lines.clear();
    }
  }
  if (std::fclose(file) != 0 || !written) {
    std::perror(argv[2]);
    return 1;
  }
  return 0;
}
