// Dead letters: listing them, and sending them through their job again.

#include <set>

#include "app/instance.h"
#include "base/error.h"
#include "jobs/input.h"
#include "jobs/writer.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

// Says of a record in a retry topic which dead letter it was: topic/partition/offset.
constexpr std::string_view kOriginHeader = "headrace.origin";
constexpr size_t kReplayBatchBytes = 1024 * 1024;
constexpr int64_t kSystemDeadLetters = 100'000;

std::string origin_of(const std::string& topic, const std::string& partition,
                      const std::string& offset) {
  return topic + "/" + partition + "/" + offset;
}

// The dead letters that were sent again before.
std::set<std::string> replayed_origins(const stream::Partition& partition) {
  std::set<std::string> origins;
  stream::Offset offset = partition.start_offset();
  while (offset < partition.end_offset()) {
    for (const stream::Batch& batch : partition.read(offset, 4 * 1024 * 1024)) {
      batch.for_each([&](const stream::RecordView& record) {
        for (const stream::RecordHeader& header : stream::decode_headers(record)) {
          if (header.key == kOriginHeader && header.value) origins.emplace(*header.value);
        }
      });
      offset = batch.last_offset() + 1;
    }
  }
  return origins;
}

}  // namespace

std::vector<std::string> Instance::dead_letter_tables(const std::string& job) const {
  std::vector<std::string> names;
  for (const lake::TableIdentifier& identifier : tables_->list()) {
    if (identifier.database != "dead_letters" || (!job.empty() && identifier.name != job)) continue;
    names.push_back(engine::quote_name(identifier.database, identifier.name));
  }
  return names;
}

std::vector<Instance::DeadLetterRow> Instance::newest_dead_letters(const std::string& job,
                                                                   int64_t limit) const {
  std::vector<std::string> parts;
  for (const std::string& table : dead_letter_tables(job))
    parts.push_back("SELECT * FROM " + table);
  if (parts.empty()) return {};
  return database_->connect()->query_rows(
      format("SELECT epoch_us(rejected_at), job, node, topic, partition, \"offset\", reason, "
             "coalesce(value, \"row\") FROM ({}) "
             "ORDER BY rejected_at DESC, topic, partition, \"offset\" LIMIT {}",
             join(parts, " UNION ALL "), limit));
}

JsonArray Instance::dead_letters(const std::string& job, int64_t limit) {
  JsonArray letters;
  if (!job.empty() && dead_letter_tables(job).empty()) {
    std::lock_guard lock(mutex_);
    job_definition(job);  // says which there are
  }
  for (const DeadLetterRow& row : newest_dead_letters(job, limit)) {
    const auto number = [&](size_t column) {
      return row[column] ? Json(std::stoll(*row[column])) : Json(nullptr);
    };
    const auto text = [&](size_t column) {
      return row[column] ? Json(*row[column]) : Json(nullptr);
    };
    letters.push_back(JsonObject{
        {"rejected_at", to_iso8601(Timestamp(microseconds(std::stoll(row[0].value_or("0")))))},
        {"job", text(1)},
        {"node", text(2)},
        {"topic", text(3)},
        {"partition", number(4)},
        {"offset", number(5)},
        {"reason", text(6)},
        {"value", text(7)}});
  }
  return letters;
}

std::vector<query::SystemRow> Instance::dead_letter_system_rows() const {
  std::vector<query::SystemRow> rows;
  for (const DeadLetterRow& row : newest_dead_letters("", kSystemDeadLetters)) {
    const auto number = [&](size_t column) {
      return row[column] ? query::SystemValue(static_cast<int64_t>(std::stoll(*row[column])))
                         : query::SystemValue();
    };
    const auto text = [&](size_t column) {
      return row[column] ? query::SystemValue(*row[column]) : query::SystemValue();
    };
    rows.push_back({Timestamp(microseconds(std::stoll(row[0].value_or("0")))), text(1), text(2),
                    text(6), text(3), number(4), number(5), text(7)});
  }
  return rows;
}

Json Instance::dead_letter(const std::string& job, const std::string& topic, int partition,
                           int64_t offset) {
  const auto tables = dead_letter_tables(job);
  if (tables.empty()) fail(ErrorKind::kNotFound, "job '{}' has no dead letters", job);
  auto connection = database_->connect();
  std::string found =
      format("FROM {} WHERE partition = {} AND \"offset\" = {}", tables.front(), partition, offset);
  if (!topic.empty()) found += " AND topic = " + engine::quote_literal(topic);
  const auto topics = connection->query_rows("SELECT DISTINCT topic " + found + " ORDER BY topic");
  if (topics.empty()) {
    fail(ErrorKind::kNotFound, "job '{}' has no dead letter of {}partition {} offset {}", job,
         topic.empty() ? "" : "topic " + topic + " ", partition, offset);
  }
  if (topics.size() > 1) {
    std::vector<std::string> names;
    for (const auto& row : topics) names.push_back(row[0].value_or(""));
    fail(ErrorKind::kInvalid,
         "job '{}' has dead letters of partition {} offset {} from several topics: say which of {}",
         job, partition, offset, join(names, ", "));
  }
  const std::string sql = "SELECT * " + found + " ORDER BY rejected_at DESC LIMIT 1";
  const auto rows = connection->query_rows(sql);
  JsonObject letter;
  const auto columns = connection->describe(sql);
  for (size_t i = 0; i < columns.size(); ++i) {
    Json& value = letter[columns[i].name];
    if (!rows[0][i]) continue;  // null
    const bool is_number = columns[i].type == "INTEGER" || columns[i].type == "BIGINT";
    value = is_number ? Json(std::stoll(*rows[0][i])) : Json(*rows[0][i]);
  }
  return letter;
}

Json Instance::replay(const std::string& job, const std::string& reason_like) {
  {
    std::lock_guard lock(mutex_);
    running_job(job);
  }
  std::lock_guard one_at_a_time(replaying_);
  const auto tables = dead_letter_tables(job);
  if (tables.empty()) fail(ErrorKind::kNotFound, "job '{}' has no dead letters", job);
  const std::string topic_name = headrace::jobs::retry_topic(job);
  const bool is_new = log_->find_topic(topic_name) == nullptr;
  if (is_new) {
    stream::TopicConfig config;
    config.retention_ms = -1;  // it is what remembers which dead letters were sent again
    log_->create_topic(topic_name, config);
  }
  stream::Partition& partition = log_->topic(topic_name).partition(0);
  const std::set<std::string> before = replayed_origins(partition);

  std::string sql = format(
      "SELECT topic, partition, \"offset\", epoch_ms(time), coalesce(encode(key), key_bytes), "
      "coalesce(encode(value), "
      "value_bytes) FROM {} WHERE topic IS NOT NULL",
      tables.front());
  if (!reason_like.empty()) sql += " AND reason LIKE " + engine::quote_literal(reason_like);
  stream::BatchBuilder builder(stream::Compression::kLz4);
  int64_t replayed = 0;
  const auto rows =
      database_->connect()->query_rows(sql + " ORDER BY topic, partition, \"offset\"");
  const auto view = [](const std::optional<std::string>& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
  };
  for (const auto& row : rows) {
    const std::string origin =
        origin_of(row[0].value_or(""), row[1].value_or(""), row[2].value_or(""));
    if (before.contains(origin)) continue;
    builder.add(std::stoll(row[3].value_or("0")), view(row[4]), view(row[5]),
                {{kOriginHeader, origin}});
    ++replayed;
    if (builder.size_bytes() >= kReplayBatchBytes) partition.append(builder.encode());
  }
  if (builder.record_count() > 0) partition.append(builder.encode());
  telemetry::log_info("app", "dead letters sent again", {{"job", job}, {"records", replayed}});
  if (is_new) resume_job(job);  // it takes the new topic up
  return JsonObject{{"job", job},
                    {"replayed", replayed},
                    {"replayed_before", static_cast<int64_t>(before.size())}};
}

}  // namespace headrace::app
