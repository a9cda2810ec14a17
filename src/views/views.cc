#include "views/views.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <set>
#include <thread>

#include "base/error.h"
#include "telemetry/log.h"
#include "views/view_circle.h"

namespace headrace::views {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{500};
constexpr std::chrono::milliseconds kLastRetry{30'000};

using RetryTime = std::chrono::steady_clock::time_point;

struct Instruments {
  telemetry::Counter& updates;
  telemetry::Counter& failures;
  telemetry::Histogram& seconds;
  telemetry::Gauge& late_changes;
  telemetry::Gauge& watermark_seconds;

  void show(const EventTime& event_time) const {
    late_changes.set(static_cast<double>(event_time.late_changes));
    if (event_time.watermark_us) {
      watermark_seconds.set(static_cast<double>(*event_time.watermark_us) / 1e6);
    }
  }
};

Instruments instruments_of(telemetry::Metrics& metrics, const std::string& view) {
  const telemetry::Labels labels = {{"view", view}};
  return {
      metrics.counter("headrace_view_updates_total", "Updates of views that went well", labels),
      metrics.counter("headrace_view_update_failures_total",
                      "Updates of views that failed and are tried again", labels),
      metrics.histogram("headrace_view_update_seconds", "Time of one update of a view", labels),
      metrics.gauge("headrace_view_late_changes",
                    "Changes that came after their window had closed and were left out, since the "
                    "view was built; kept over restarts",
                    labels),
      metrics.gauge("headrace_view_watermark_seconds",
                    "The view's watermark, in seconds since 1970; 0 where there is none", labels)};
}

struct RunningView {
  std::shared_ptr<IncrementalView> view;
  std::shared_ptr<const Instruments> instruments;
  bool is_due = true;
  RetryTime not_before = {};
  std::chrono::milliseconds next_retry = kFirstRetry;
  std::string last_error = {};
  std::optional<Timestamp> since = {};
};

void check_names(const std::vector<ViewSpec>& definitions) {
  std::set<std::string> names;
  std::map<lake::TableIdentifier, std::string> writers;
  for (const ViewSpec& spec : definitions) {
    if (!names.insert(spec.name).second) {
      fail(ErrorKind::kInvalid, "two views are named '{}'", spec.name);
    }
    const auto [writer, is_new] = writers.emplace(spec.table, spec.name);
    if (!is_new) {
      fail(ErrorKind::kInvalid, "views '{}' and '{}' both keep table {}; give each its own",
           writer->second, spec.name, spec.table.to_string());
    }
  }
}

void check_sources(const std::map<std::string, RunningView>& views) {
  std::vector<ViewTables> tables;
  for (const auto& [name, running] : views) {
    tables.push_back({name, running.view->spec().table, running.view->inputs()});
  }
  const std::vector<std::string> circle = find_circle(tables);
  if (circle.empty()) return;
  fail(ErrorKind::kInvalid, "views that read each other in a circle cannot be: {}",
       describe_circle(circle));
}

bool reads_any(const IncrementalView& view, const std::vector<lake::TableIdentifier>& tables) {
  const std::vector<lake::TableIdentifier> inputs = view.inputs();
  return std::find_first_of(inputs.begin(), inputs.end(), tables.begin(), tables.end()) !=
         inputs.end();
}

}  // namespace

void check_view(engine::Database& database, const std::string& sql, const Closing& closing) {
  check_closing(ViewQuery::parse(*database.connect(), sql, SourceKind::kAppended), closing);
}

std::string engine_sql(engine::Connection& connection, const std::string& sql) {
  ViewQuery query = ViewQuery::parse(connection, sql, SourceKind::kAppended);
  if (!query.window() || !query.window()->is_named) return sql;
  query.check_time(connection, query.named_from());
  return query.plain_sql();
}

std::vector<lake::TableIdentifier> inputs_of(engine::Connection& connection,
                                             const std::string& sql) {
  const ViewQuery query = ViewQuery::parse(connection, sql, SourceKind::kAppended);
  std::vector<lake::TableIdentifier> tables = query.joined();
  tables.insert(tables.begin(), query.source());
  return tables;
}

struct Views::State {
  explicit State(const Collaborators& given) : collaborators(given) {}

  RunningView make(const ViewSpec& spec) {
    const IncrementalView::Collaborators own{collaborators.database, collaborators.catalog,
                                             collaborators.tables, collaborators.files,
                                             collaborators.random};
    try {
      return {
          std::make_shared<IncrementalView>(own, spec),
          std::make_shared<const Instruments>(instruments_of(collaborators.metrics, spec.name))};
    } catch (const Error& error) {
      throw error.with_context(format("view '{}'", spec.name));
    }
  }

  RunningView make_checked(const ViewSpec& spec) {
    RunningView running = make(spec);
    try {
      running.view->check();
    } catch (const Error& error) {
      throw error.with_context(format("view '{}'", spec.name));
    }
    return running;
  }

  // The next view whose time has come; sets `wake` to when the next one's does.
  std::shared_ptr<IncrementalView> next(RetryTime now, std::optional<RetryTime>& wake) {
    for (auto& [name, running] : views) {
      if (!running.is_due) continue;
      if (running.not_before <= now) {
        running.is_due = false;
        return running.view;
      }
      wake = wake ? std::min(*wake, running.not_before) : running.not_before;
    }
    return nullptr;
  }

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      std::optional<RetryTime> wake;
      current = is_paused ? nullptr : next(std::chrono::steady_clock::now(), wake);
      if (current) {
        run_current(lock);
        continue;
      }
      const uint64_t seen = changes;
      const auto is_changed = [&] { return changes != seen; };
      if (wake) {
        woken.wait_until(lock, stop, *wake, is_changed);
      } else {
        woken.wait(lock, stop, is_changed);
      }
    }
  }

  void run_current(std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<IncrementalView> view = current;
    lock.unlock();
    const SteadyTime started = collaborators.clock.steady_now();
    std::string error;
    bool is_waiting = false;  // for its source, which a job is yet to make
    bool is_changed = false;
    try {
      is_changed = view->update();
    } catch (const Error& failure) {
      error = failure.what();
      is_waiting = failure.kind() == ErrorKind::kNotFound;
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    const Timestamp now = collaborators.clock.now();
    const std::chrono::duration<double> taken = collaborators.clock.steady_now() - started;
    lock.lock();
    current = nullptr;
    RunningView& running = views.at(view->spec().name);
    // A fault that lasts is told once.
    if (!error.empty() && !is_waiting && error != running.last_error) {
      telemetry::log_warning("views", "a view was not updated; it is tried again",
                             {{"view", view->spec().name}, {"error", error}});
    }
    running.instruments->seconds.observe(taken.count());
    (error.empty() ? running.instruments->updates : running.instruments->failures).add();
    running.instruments->show(view->progress().event_time);
    finish(running, error, now);
    if (is_changed) set_due({view->spec().table});
    settled.notify_all();
  }

  // Views that read one of the tables.
  void set_due(const std::vector<lake::TableIdentifier>& tables) {
    for (auto& [name, running] : views) {
      if (!reads_any(*running.view, tables)) continue;
      running.is_due = true;
      // A view that waits for its source need not wait any longer.
      running.not_before = {};
      ++changes;
    }
  }

  static void finish(RunningView& running, const std::string& error, Timestamp now) {
    if (error.empty()) {
      running.next_retry = kFirstRetry;
      running.not_before = {};
    } else {
      running.is_due = true;
      running.not_before = std::chrono::steady_clock::now() + running.next_retry;
      running.next_retry = std::min(running.next_retry * 2, kLastRetry);
    }
    if (error.empty() || running.last_error.empty()) running.since = now;
    running.last_error = error;
  }

  bool is_current() const {
    return !current && std::none_of(views.begin(), views.end(),
                                    [](const auto& each) { return each.second.is_due; });
  }

  Collaborators collaborators;
  mutable std::mutex mutex;
  std::condition_variable_any woken;    // the worker
  std::condition_variable_any settled;  // who waits for the worker
  std::map<std::string, RunningView> views;
  std::shared_ptr<IncrementalView> current;  // being updated
  bool is_paused = false;                    // the set of views is being changed
  uint64_t changes = 0;
  std::jthread worker;  // last: it uses what stands above
};

Views::Views(const Collaborators& collaborators) : state_(std::make_unique<State>(collaborators)) {
  state_->worker =
      std::jthread([state = state_.get()](const std::stop_token& stop) { state->work(stop); });
}

Views::~Views() {
  state_->worker.request_stop();
  state_->worker.join();
}

void Views::set(std::vector<ViewSpec> definitions) {
  check_names(definitions);
  std::map<std::string, RunningView> before;
  {
    std::unique_lock lock(state_->mutex);
    state_->is_paused = true;
    state_->settled.wait(lock, [&] { return !state_->current; });
    before = state_->views;
  }
  std::map<std::string, RunningView> after;
  std::exception_ptr refused;
  try {
    for (const ViewSpec& spec : definitions) {
      const auto found = before.find(spec.name);
      const bool is_kept = found != before.end() && found->second.view->spec() == spec;
      after.emplace(spec.name, is_kept ? found->second : state_->make_checked(spec));
    }
    check_sources(after);
  } catch (...) {
    refused = std::current_exception();
  }
  std::lock_guard lock(state_->mutex);
  state_->is_paused = false;
  ++state_->changes;
  if (!refused) {
    for (auto& [name, running] : after) {
      const auto known = state_->views.find(name);  // it may have become due meanwhile
      if (known != state_->views.end() && known->second.view == running.view) {
        running = known->second;
      }
    }
    state_->views = std::move(after);
  }
  state_->woken.notify_all();
  if (refused) std::rethrow_exception(refused);
}

void Views::show(const std::vector<ViewSpec>& definitions) {
  check_names(definitions);
  for (const ViewSpec& spec : definitions) {
    RunningView running = state_->make(spec);
    running.is_due = false;
    try {
      running.view->show();
    } catch (const Error& error) {
      running.last_error = error.message();
      running.since = state_->collaborators.clock.now();
    }
    std::lock_guard lock(state_->mutex);
    state_->views.insert_or_assign(spec.name, std::move(running));
  }
}

void Views::source_committed(const std::vector<lake::TableIdentifier>& tables) {
  std::lock_guard lock(state_->mutex);
  state_->set_due(tables);
  state_->woken.notify_all();
}

bool Views::wait_until_current(milliseconds timeout) {
  std::unique_lock lock(state_->mutex);
  return state_->settled.wait_for(lock, timeout, [&] { return state_->is_current(); });
}

std::vector<ViewStatus> Views::status() const {
  std::lock_guard lock(state_->mutex);
  std::vector<ViewStatus> statuses;
  for (const auto& [name, running] : state_->views) {
    const ViewSpec& spec = running.view->spec();
    statuses.push_back({name, spec.table, running.view->source(), spec.closing,
                        running.view->progress(), running.last_error, running.since});
  }
  return statuses;
}

}  // namespace headrace::views
