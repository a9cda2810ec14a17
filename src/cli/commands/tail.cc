#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/interrupt.h"
#include "cli/print/text_width.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct TailOptions {
  std::string topic;
  bool follow = false;
  std::optional<int64_t> last;
  std::string from;
  std::optional<int64_t> partition;
  std::string format = "value";
  int64_t limit = -1;
};

constexpr int kFetchRecords = 1000;
constexpr int kWaitMs = 250;

struct Cursor {
  int64_t partition = 0;
  int64_t start = 0;  // oldest record kept
  int64_t end = 0;    // one past the newest when we looked
  int64_t next = 0;
};

std::vector<Cursor> cursors_of(const Json& topic, const TailOptions& options) {
  std::vector<Cursor> cursors;
  for (const Json& partition : items_of(topic, "partitions")) {
    Cursor cursor;
    cursor.partition = integer_member(partition, "partition");
    cursor.start = integer_member_or(partition, "start_offset", 0);
    cursor.end = integer_member(partition, "end_offset");
    if (!options.partition || *options.partition == cursor.partition) cursors.push_back(cursor);
  }
  if (cursors.empty()) {
    fail(ErrorKind::kNotFound, "reading topic {}: it has no partition {}", options.topic,
         options.partition.value_or(0));
  }
  return cursors;
}

// Records of the last N in all are not known before they are read, so each partition is read from
// its share of them.
void place(std::vector<Cursor>& cursors, const TailOptions& options) {
  const auto count = static_cast<int64_t>(cursors.size());
  for (Cursor& cursor : cursors) {
    if (options.last) {
      cursor.next = std::max(cursor.start, cursor.end - (*options.last + count - 1) / count);
    } else if (options.from == "earliest") {
      cursor.next = cursor.start;
    } else if (options.from == "latest") {
      cursor.next = cursor.end;
    } else {
      cursor.next = std::max(cursor.start, static_cast<int64_t>(std::stoll(options.from)));
    }
  }
}

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;  // the padding
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// The record as it came, whatever its bytes.
std::string value_text(const Json& record) {
  if (const Json* value = find_member(record, "value")) {
    return value->is_string() ? std::string(value->get_string()) : to_text(*value);
  }
  return from_base64(string_member_or(record, "value_base64", ""));
}

class Tail {
 public:
  Tail(Session& session, Service& service, const TailOptions& options)
      : session_(session), service_(service), options_(options) {}

  int run() {
    const Json topic = service_.get("/v1/topics/" + encoded(options_.topic));
    std::vector<Cursor> cursors = cursors_of(topic, options_);
    place(cursors, options_);
    size_t waiting_on = 0;
    while (!interrupt_.is_requested() && !is_enough()) {
      int64_t read = 0;
      for (Cursor& cursor : cursors) {
        if (options_.follow || cursor.next < cursor.end) read += fetch(cursor, 0);
      }
      session_.console().flush();
      if (read > 0) continue;
      if (!options_.follow) break;
      // Wait on one partition after the other: one long wait would hide records of the rest.
      waiting_on = (waiting_on + 1) % cursors.size();
      if (!interrupt_.is_requested() && !is_enough()) fetch(cursors[waiting_on], kWaitMs);
    }
    return 0;
  }

 private:
  bool is_enough() const { return options_.limit >= 0 && printed_ >= options_.limit; }

  int64_t fetch(Cursor& cursor, int wait_ms) {
    int64_t limit = kFetchRecords;
    if (!options_.follow) limit = std::min(limit, cursor.end - cursor.next);
    if (options_.limit >= 0) limit = std::min(limit, options_.limit - printed_);
    if (limit <= 0) return 0;
    const http::Response answer = service_.send(http::make_request(
        "GET", format("/v1/topics/{}/records?partition={}&offset={}&limit={}&wait_ms={}",
                      encoded(options_.topic), cursor.partition, cursor.next, limit, wait_ms)));
    http::throw_if_error(answer);
    return print_all(body_of(answer), cursor);
  }

  static std::string body_of(const http::Response& answer) {
    std::string body = answer.body;
    std::string chunk;
    while (answer.stream && answer.stream(chunk)) {
      body += chunk;
      chunk.clear();
    }
    return body + chunk;
  }

  int64_t print_all(std::string_view lines, Cursor& cursor) {
    int64_t count = 0;
    while (!lines.empty()) {
      const size_t newline = std::min(lines.find('\n'), lines.size());
      const std::string_view line = lines.substr(0, newline);
      lines.remove_prefix(std::min(newline + 1, lines.size()));
      if (line.empty()) continue;
      const Json record = parse_json(line, "a record of topic " + options_.topic);
      cursor.next = integer_member(record, "offset") + 1;
      print(record, line);
      ++count;
    }
    printed_ += count;
    return count;
  }

  void print(const Json& record, std::string_view line) {
    Console& console = session_.console();
    if (session_.globals().json || options_.format == "json") {
      console.out(std::string(line) + "\n");
      return;
    }
    std::string value = value_text(record);
    if (console.out_is_terminal()) value = visible_text(value);
    if (options_.format == "meta") {
      const Json* key = find_member(record, "key");
      const std::string key_text = key == nullptr     ? "-"
                                   : key->is_string() ? std::string(key->get_string())
                                                      : to_text(*key);
      console.out(styled(console, Style::kDim,
                         format("{}:{} {} {} ", integer_member_or(record, "partition", 0),
                                integer_member(record, "offset"),
                                string_member_or(record, "timestamp", "-"), key_text)));
    }
    console.out(value + "\n");
  }

  Session& session_;
  Service& service_;
  const TailOptions& options_;
  Interrupt interrupt_;
  int64_t printed_ = 0;
};

int tail(Session& session, TailOptions options) {
  if (options.from.empty()) {
    if (!options.last) options.last = 10;
  } else if (options.last) {
    fail(ErrorKind::kInvalid, "tail: give either -n or --from, not both");
  } else if (options.from != "earliest" && options.from != "latest" &&
             (options.from.size() > 18 ||
              options.from.find_first_not_of("0123456789") != std::string::npos)) {
    fail(ErrorKind::kInvalid, "tail: --from takes earliest, latest or an offset, not '{}'",
         options.from);
  }
  Service service = session.connect();
  return Tail(session, service, options).run();
}

}  // namespace

void add_tail(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, "tail", "Print the records of a topic", "Work with data");
  auto options = std::make_shared<TailOptions>();
  command->add_option("TOPIC", options->topic, "The topic's name")->required();
  command->add_flag("-f,--follow", options->follow, "Go on with records that come, until Ctrl-C");
  command->add_option("-n,--last", options->last, "Start with the last N; default: 10")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--from", options->from, "Start at earliest, latest or an offset")
      ->option_text("WHERE");
  command->add_option("-p,--partition", options->partition, "Of this partition only")
      ->option_text("N");
  command->add_option("--limit", options->limit, "End after so many")->option_text("N");
  command
      ->add_option("--format", options->format,
                   "value: as it came; meta: with partition, offset, time, key; json")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"value", "meta", "json"}));
  command->callback([&session, options] {
    session.action = [&session, options] { return tail(session, *options); };
  });
  add_examples(*command, {{"headrace tail clicks", "the last ten records"},
                          {"headrace tail clicks -f --from latest", "what comes from now on"},
                          {"headrace tail clicks -n 100 --format meta", "with offsets and keys"},
                          {"headrace tail clicks --from earliest | jq .user", "all of them"}});
}

}  // namespace headrace::cli
