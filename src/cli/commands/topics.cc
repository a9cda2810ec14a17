#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"
#include "config/scalar.h"

namespace headrace::cli {
namespace {

// As topics/*.yaml has them; what is not given is left to the server.
struct TopicSettings {
  std::string name;
  std::optional<int> partitions;
  std::string compression, durability, retention_time, retention_bytes, tiered_storage;
  bool yes = false;
};

// -1 keeps records for ever, as in topics/*.yaml.
int64_t retention_ms(const std::string& text) {
  if (text == "-1") return -1;
  const auto duration = config::parse_duration(text);
  if (!duration || duration->count() <= 0) {
    fail(ErrorKind::kInvalid, "--retention takes a time such as 12h or 7d, or -1, not '{}'", text);
  }
  return duration->count();
}

int64_t retention_bytes(const std::string& text) {
  if (text == "-1") return -1;
  const auto bytes = config::parse_bytes(text);
  if (!bytes || bytes->count <= 0) {
    fail(ErrorKind::kInvalid, "--retention-bytes takes a size such as 10GiB, or -1, not '{}'",
         text);
  }
  return bytes->count;
}

JsonObject body_of(const TopicSettings& settings) {
  JsonObject body{{"name", settings.name}};
  if (settings.partitions) body["partitions"] = *settings.partitions;
  if (!settings.compression.empty()) body["compression"] = settings.compression;
  if (!settings.durability.empty()) body["durability"] = settings.durability;
  if (!settings.retention_time.empty())
    body["retention_ms"] = retention_ms(settings.retention_time);
  if (!settings.retention_bytes.empty()) {
    body["retention_bytes"] = retention_bytes(settings.retention_bytes);
  }
  if (!settings.tiered_storage.empty()) {
    body["tiered_storage"] = JsonObject{{"uri", settings.tiered_storage}};
  }
  return body;
}

std::string target_of(const std::string& name) { return "/v1/topics/" + encoded(name); }

int list_topics(Session& session) {
  Service service = session.connect();
  const Json answer = service.get("/v1/topics");
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "topics"), topic_columns(),
                  "no topics yet; make one with: headrace topics create NAME");
  });
  return 0;
}

int show_topic(Session& session, const std::string& name) {
  Service service = session.connect();
  const Json answer = service.get(target_of(name));
  session.show(answer, [&] { print_object(session, answer); });
  return 0;
}

int change_topic(Session& session, const TopicSettings& settings, bool is_new) {
  Service service = session.connect();
  service.require_running(is_new ? "making a topic" : "changing a topic");
  JsonObject body = body_of(settings);
  if (!is_new) {
    body.erase("name");
    if (body.empty()) fail(ErrorKind::kInvalid, "topics alter: give at least one setting");
  }
  const Json answer =
      is_new ? service.post("/v1/topics", body) : service.patch(target_of(settings.name), body);
  session.show(answer, [&] {
    session.console().out(format("topic {} {}\n", settings.name, is_new ? "created" : "changed"));
  });
  return 0;
}

int delete_topic(Session& session, const TopicSettings& settings) {
  Service service = session.connect();
  service.require_running("deleting a topic");
  if (!settings.yes) {
    fail(ErrorKind::kInvalid,
         "deleting topic {}: its records would be lost for ever; repeat with --yes", settings.name);
  }
  const Json answer = service.remove(target_of(settings.name));
  session.show(answer, [&] { session.console().out(format("topic {} deleted\n", settings.name)); });
  return 0;
}

void add_settings(CLI::App& command, TopicSettings& settings) {
  command.add_option("NAME", settings.name, "The topic's name")->required();
  command.add_option("--partitions", settings.partitions, "How many partitions")->option_text("N");
  command.add_option("--compression", settings.compression, "none, lz4 or zstd")
      ->option_text("KIND")
      ->check(CLI::IsMember({"none", "lz4", "zstd"}));
  command.add_option("--durability", settings.durability, "disk or memory")
      ->option_text("KIND")
      ->check(CLI::IsMember({"disk", "memory"}));
  command.add_option("--retention", settings.retention_time, "How long records are kept, as 7d")
      ->option_text("TIME");
  command
      .add_option("--retention-bytes", settings.retention_bytes,
                  "How much a partition keeps, as 10GiB")
      ->option_text("SIZE");
  command
      .add_option("--tiered-storage", settings.tiered_storage,
                  "Where older segments go, as s3://lake/topics")
      ->option_text("URI");
}

}  // namespace

void add_topics(CLI::App& app, Session& session) {
  CLI::App* topics =
      add_command(app, "topics", "List, show, create, alter and delete topics", "Look and mend");
  topics->require_subcommand(0, 1);
  auto settings = std::make_shared<TopicSettings>();
  const auto list = [&session] { session.action = [&session] { return list_topics(session); }; };
  topics->preparse_callback([list](size_t) { list(); });
  CLI::App* list_command =
      add_command(*topics, "list", "All topics with partitions, records and size");
  list_command->callback(list);

  CLI::App* show = add_command(*topics, "show", "One topic: settings, partitions, offsets");
  show->add_option("NAME", settings->name, "The topic's name")->required();
  show->callback([&session, settings] {
    session.action = [&session, settings] { return show_topic(session, settings->name); };
  });
  CLI::App* create = add_command(*topics, "create", "Make a topic");
  add_settings(*create, *settings);
  create->callback([&session, settings] {
    session.action = [&session, settings] { return change_topic(session, *settings, true); };
  });
  CLI::App* alter = add_command(
      *topics, "alter",
      "Change a topic's settings; one that topics/ declares has those settings at the next start");
  add_settings(*alter, *settings);
  alter->callback([&session, settings] {
    session.action = [&session, settings] { return change_topic(session, *settings, false); };
  });
  CLI::App* remove = add_command(*topics, "delete", "Delete a topic with its records");
  remove->add_option("NAME", settings->name, "The topic's name")->required();
  remove->add_flag("--yes", settings->yes, "Yes, its records may go");
  remove->callback([&session, settings] {
    session.action = [&session, settings] { return delete_topic(session, *settings); };
  });

  add_examples(*topics, {{"headrace topics", "all of them"},
                         {"headrace topics show clicks", "one, with its partitions"},
                         {"headrace topics create clicks --partitions 4", "a new one"}});
  add_examples(*list_command, {{"headrace topics list", "for people"},
                               {"headrace topics list --json | jq '.topics[].name'", "the names"}});
  add_examples(*show,
               {{"headrace topics show clicks", "settings, and the offsets of each partition"},
                {"headrace topics show clicks --json | jq .config", "a part of it"}});
  add_examples(*create, {{"headrace topics create clicks", "with one partition"},
                         {"headrace topics create clicks --partitions 4 --retention 30d",
                          "four, and records are kept for a month"}});
  add_examples(*alter, {{"headrace topics alter clicks --retention 30d", "keep records longer"},
                        {"headrace topics alter clicks --compression zstd", "smaller on disk"}});
  add_examples(*remove, {{"headrace topics delete clicks --yes", "records and all"}});
}

}  // namespace headrace::cli
