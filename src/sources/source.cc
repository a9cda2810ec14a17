#include "sources/source.h"

namespace headrace::sources {

std::string_view name_of(SourceState state) {
  switch (state) {
    case SourceState::kIdle:
      return "idle";
    case SourceState::kRunning:
      return "running";
    case SourceState::kWaiting:
      return "waiting";
    case SourceState::kFinished:
      return "finished";
    case SourceState::kFailed:
      return "failed";
    case SourceState::kStopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace headrace::sources
