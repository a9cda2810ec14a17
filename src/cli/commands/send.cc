#include <algorithm>
#include <cerrno>
#include <memory>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/interrupt.h"
#include "cli/print/units.h"
#include "cli/progress.h"
#include "cli/send/sender.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct SendOptions {
  SendSettings settings;
  std::string file;
  std::string format = "ndjson";
  BatchLimits limits;
  double rate = 0;  // records a second; 0: as fast as it goes
  int64_t patience_s = 60;
};

class Input {
 public:
  Input(const std::string& path, int standard_input)
      : descriptor_(standard_input), is_owned_(!path.empty() && path != "-") {
    if (!is_owned_) return;
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail_errno(errno, "opening", path);
  }
  ~Input() {
    if (is_owned_) ::close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  bool is_owned_;
};

codec::Codec codec_of(const std::string& path) {
  if (path.ends_with(".gz")) return codec::Codec::kGzip;
  if (path.ends_with(".zst")) return codec::Codec::kZstd;
  return codec::Codec::kNone;
}

// Small batches when a rate is asked for, so that records flow instead of coming in bursts.
BatchLimits paced(BatchLimits limits, double rate) {
  if (rate > 0) {
    limits.records = std::clamp(static_cast<int64_t>(rate / 10), int64_t{1}, limits.records);
  }
  return limits;
}

std::string rates(const SendTotals& totals, double seconds) {
  const double time = std::max(seconds, 1e-3);
  return format("{}  {}/s  {}/s", counted(totals.records, "record"),
                rate_text(static_cast<double>(totals.records) / time),
                bytes_text(static_cast<int64_t>(static_cast<double>(totals.bytes) / time)));
}

void report(Session& session, const SendOptions& options, const SendTotals& totals,
            double seconds) {
  session.show(JsonObject{{"topic", options.settings.topic},
                          {"records", totals.records},
                          {"bytes", totals.bytes},
                          {"duplicates", totals.duplicates},
                          {"skipped", totals.skipped},
                          {"retries", totals.retries},
                          {"elapsed_ms", static_cast<int64_t>(seconds * 1000)}},
               [&] {
                 std::string text =
                     format("sent {} ({}) to {} in {}", counted(totals.records, "record"),
                            bytes_text(totals.bytes), options.settings.topic,
                            duration_text(seconds * 1000));
                 if (totals.skipped > 0)
                   text += format(", {} skipped", counted(totals.skipped, "bad line"));
                 if (totals.duplicates > 0)
                   text += format(", {} had arrived already", grouped(totals.duplicates));
                 if (totals.retries > 0)
                   text += format(", {} tries repeated", grouped(totals.retries));
                 session.note(text);
               });
}

// The log keeps a producer's sequence for each partition: records spread by key have none.
bool can_be_idempotent(Service& service, const SendSettings& settings) {
  if (settings.key.empty() || settings.partition) return true;
  const Json topic = service.get("/v1/topics/" + encoded(settings.topic));
  return items_of(topic, "partitions").size() <= 1;
}

int send(Session& session, SendOptions options) {
  Service service = session.connect();
  service.require_running("sending records");
  options.settings.is_idempotent = can_be_idempotent(service, options.settings);
  const Input input(options.file, session.console().in_descriptor());
  const bool reads_terminal =
      (options.file.empty() || options.file == "-") && session.console().in_is_terminal();
  if (reads_terminal) session.note("type one record a line, end with Ctrl-D");

  Interrupt interrupt;
  SystemClock clock;
  SeededRandom random;
  Progress progress(session, clock);
  options.settings.patience = std::chrono::seconds(options.patience_s);
  options.settings.format = options.format == "text" ? RecordFormat::kText : RecordFormat::kNdjson;
  const BatchLimits limits = paced(options.limits, options.rate);
  RecordReader reader(input.descriptor(), options.file.empty() ? "standard input" : options.file,
                      codec_of(options.file));
  Sender sender(service, options.settings, clock, random, [&](const std::string& text) {
    progress.clear();
    session.note("headrace: " + text);
  });
  const SteadyTime start = clock.steady_now();
  while (!reader.is_at_end() && !interrupt.is_requested()) {
    std::vector<Line> batch = reader.next_batch(limits, interrupt.token());
    if (batch.empty()) continue;
    sender.send(std::move(batch), interrupt.token());
    progress.update(rates(sender.totals(), progress.elapsed_seconds()));
    if (options.rate > 0) {
      const auto due =
          start + microseconds(static_cast<int64_t>(
                      1e6 * static_cast<double>(sender.totals().records) / options.rate));
      const auto wait = std::chrono::duration_cast<microseconds>(due - clock.steady_now());
      if (wait.count() > 0) clock.sleep_for(wait, interrupt.token());
    }
  }
  progress.clear();
  // Without a record nobody has asked yet whether there is such a topic.
  if (sender.totals().records == 0) service.get("/v1/topics/" + encoded(options.settings.topic));
  report(session, options, sender.totals(), progress.elapsed_seconds());
  return interrupt.is_requested() ? codes_of(ErrorKind::kCancelled).exit_code : 0;
}

}  // namespace

void add_send(CLI::App& app, Session& session) {
  CLI::App* command = add_command(
      app, "send", "Send records from a file or a pipe to a topic, each once", "Work with data");
  auto options = std::make_shared<SendOptions>();
  SendSettings& settings = options->settings;
  command->add_option("TOPIC", settings.topic, "The topic's name")->required();
  command->add_option("FILE", options->file,
                      "One record a line, may be .gz or .zst; default: standard input");
  command->add_option("--format", options->format, "ndjson: JSON, checked; text: lines as they are")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"ndjson", "text"}));
  command->add_option("--key", settings.key, "Where the key stands: /user or /order/id")
      ->option_text("POINTER");
  command->add_option("--timestamp", settings.timestamp, "Where the time stands")
      ->option_text("POINTER");
  command->add_option("-p,--partition", settings.partition, "Into this partition")
      ->option_text("N");
  command->add_flag("--skip-bad", settings.skip_bad, "Pass over lines that are refused");
  command->add_option("--rate", options->rate, "At most so many records a second")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--batch", options->limits.records, "Records in a request; default: 1000")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--batch-bytes", options->limits.bytes, "Bytes in a request; default: 1 MiB")
      ->option_text("N")
      ->check(CLI::Range(1, 64 * 1024 * 1024));
  command
      ->add_option("--patience", options->patience_s,
                   "Seconds to try again when the server is away; default: 60")
      ->option_text("SECONDS")
      ->check(CLI::NonNegativeNumber);
  command->callback([&session, options] {
    session.action = [&session, options] { return send(session, *options); };
  });
  add_examples(
      *command,
      {{"headrace send clicks clicks.ndjson", "a file"},
       {"headrace send clicks --key /user < clicks.ndjson", "one partition for each user"},
       {"tail -f app.log | headrace send logs --format text", "as it grows"},
       {"headrace send clicks big.json.gz --rate 5000 --skip-bad", "slowly, without bad lines"}});
}

}  // namespace headrace::cli
