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

JsonArray Instance::dead_letters(const std::string& job, int64_t limit) {
  std::vector<std::string> parts;
  for (const std::string& table : dead_letter_tables(job))
    parts.push_back("SELECT * FROM " + table);
  JsonArray letters;
  if (parts.empty()) return letters;
  const auto rows = database_->connect()->query_rows(
      format("SELECT rejected_at, job, node, topic, partition, \"offset\", reason, coalesce(value, "
             "\"row\") FROM ({}) "
             "ORDER BY rejected_at DESC, topic, partition, \"offset\" LIMIT {}",
             join(parts, " UNION ALL "), limit));
  for (const auto& row : rows) {
    const auto number = [&](size_t column) {
      return row[column] ? Json(std::stoll(*row[column])) : Json(nullptr);
    };
    const auto text = [&](size_t column) {
      return row[column] ? Json(*row[column]) : Json(nullptr);
    };
    letters.push_back(JsonObject{{"time", text(0)},
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

Json Instance::dead_letter(const std::string& job, int partition, int64_t offset) {
  const auto tables = dead_letter_tables(job);
  if (tables.empty()) fail(ErrorKind::kNotFound, "job '{}' has no dead letters", job);
  auto connection = database_->connect();
  const std::string sql = format(
      "SELECT * FROM {} WHERE partition = {} AND \"offset\" = {} ORDER BY rejected_at DESC LIMIT 1",
      tables.front(), partition, offset);
  const auto rows = connection->query_rows(sql);
  if (rows.empty()) {
    fail(ErrorKind::kNotFound, "job '{}' has no dead letter of partition {} offset {}", job,
         partition, offset);
  }
  JsonObject letter;
  const auto columns = connection->describe(sql);
  for (size_t i = 0; i < columns.size(); ++i) {
    letter[columns[i].name] = rows[0][i] ? Json(*rows[0][i]) : Json(nullptr);
  }
  return letter;
}

Json Instance::replay(const std::string& job, const std::string& reason_like) {
  {
    std::lock_guard lock(mutex_);
    running_job(job);
  }
  const auto tables = dead_letter_tables(job);
  if (tables.empty()) fail(ErrorKind::kNotFound, "job '{}' has no dead letters", job);
  const std::string topic_name = headrace::jobs::retry_topic(job);
  const bool is_new = log_->find_topic(topic_name) == nullptr;
  if (is_new) log_->create_topic(topic_name, {});
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
