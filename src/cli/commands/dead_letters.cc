#include <memory>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/print/units.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct DeadLetterOptions {
  std::string job;
  std::string topic;
  int64_t limit = 100;
  int64_t partition = 0;
  int64_t offset = 0;
  std::string reason_like;
};

int list_dead_letters(Session& session, const DeadLetterOptions& options) {
  Service service = session.connect();
  std::string target = format("/v1/deadletters?limit={}", options.limit);
  if (!options.job.empty()) target += "&job=" + encoded(options.job);
  const Json answer = service.get(target);
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "dead_letters"), dead_letter_columns(),
                  "no dead letters");
  });
  return 0;
}

int show_dead_letter(Session& session, const DeadLetterOptions& options) {
  Service service = session.connect();
  std::string target =
      format("/v1/deadletters/{}/{}/{}", encoded(options.job), options.partition, options.offset);
  if (!options.topic.empty()) target += "?topic=" + encoded(options.topic);
  const Json answer = service.get(target);
  session.show(answer, [&] { print_object(session, answer); });
  return 0;
}

int replay(Session& session, const DeadLetterOptions& options) {
  Service service = session.connect();
  service.require_running("replaying dead letters");
  JsonObject body{{"job", options.job}};
  if (!options.reason_like.empty()) body["reason_like"] = options.reason_like;
  const Json answer = service.post("/v1/deadletters/replay", body);
  session.show(answer, [&] {
    session.console().out(format("{} of job {} sent through it again\n",
                                 counted(integer_member_or(answer, "replayed", 0), "dead letter"),
                                 options.job));
  });
  return 0;
}

}  // namespace

void add_dead_letters(CLI::App& app, Session& session) {
  CLI::App* letters = add_command(
      app, "deadletters", "Records that a job refused: list, show, replay", "Look and mend");
  letters->require_subcommand(0, 1);
  auto options = std::make_shared<DeadLetterOptions>();
  const auto list = [&session, options] {
    session.action = [&session, options] { return list_dead_letters(session, *options); };
  };
  letters->preparse_callback([list](size_t) { list(); });
  CLI::App* list_command = add_command(*letters, "list", "The latest ones, with their reasons");
  list_command->add_option("--job", options->job, "Of this job only")->option_text("JOB");
  list_command->add_option("--limit", options->limit, "At most so many; default: 100")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  list_command->callback(list);

  CLI::App* show = add_command(*letters, "show", "One of them, with the record as it came");
  show->add_option("JOB", options->job, "The job's name")->required();
  show->add_option("PARTITION", options->partition, "Partition of the record")->required();
  show->add_option("OFFSET", options->offset, "Offset of the record")->required();
  show->add_option("--topic", options->topic, "Its topic, when the job reads several")
      ->option_text("TOPIC");
  show->callback([&session, options] {
    session.action = [&session, options] { return show_dead_letter(session, *options); };
  });

  CLI::App* again = add_command(*letters, "replay", "Send a job's dead letters through it again");
  again->add_option("JOB", options->job, "The job's name")->required();
  again->add_option("--reason-like", options->reason_like, "Only those whose reason is like this")
      ->option_text("PATTERN");
  again->callback([&session, options] {
    session.action = [&session, options] { return replay(session, *options); };
  });
  add_examples(*letters, {{"headrace deadletters list --job clean", "what went wrong, and why"},
                          {"headrace deadletters show clean 0 1234", "one record as it came"},
                          {"headrace deadletters replay clean", "after the job was mended"}});
  add_examples(*list_command, {{"headrace deadletters list --limit 10", "the ten latest"},
                               {"headrace deadletters list --job clean --json", "for a program"}});
  add_examples(*show, {{"headrace deadletters show clean 0 1234", "of partition 0, offset 1234"},
                       {"headrace deadletters show clean 0 1234 --topic orders",
                        "when the job reads several topics"}});
  add_examples(*again, {{"headrace deadletters replay clean", "all of them"},
                        {"headrace deadletters replay clean --reason-like '%timestamp%'",
                         "those with this reason"}});
}

}  // namespace headrace::cli
