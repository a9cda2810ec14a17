#pragma once

// headrace.yaml: what concerns the whole process.

#include <chrono>
#include <cstdint>
#include <string>

#include "config/fields.h"

namespace headrace::project {

// Where to listen: "127.0.0.1:8642", "localhost:8642", "[::1]:8642".
struct ListenAddress {
  std::string host = "127.0.0.1";
  int port = 8642;

  std::string to_text() const;
  // Only programs of this machine can connect.
  bool is_loopback() const;
  bool operator==(const ListenAddress&) const = default;
};

// Whether SQL sent to the server may read files: read_csv('…'), FROM 'x.parquet'.
enum class QueryFileAccess { kAuto, kNone, kRead };
config::Choices<QueryFileAccess> choices_of(QueryFileAccess access);

struct ServerSettings {
  ListenAddress listen;
  config::Secret token;
  config::Bytes max_body_bytes = config::mebibytes(64);
  int64_t max_connections = 1000;
  std::chrono::milliseconds query_timeout = std::chrono::minutes(5);
  int64_t query_max_rows = 1'000'000;
  QueryFileAccess query_file_access = QueryFileAccess::kAuto;

  static config::Fields<ServerSettings> fields();
};

enum class S3Addresses { kAuto, kPath, kVirtual };
config::Choices<S3Addresses> choices_of(S3Addresses addresses);
enum class S3PayloadSigning { kAuto, kSigned, kUnsigned };
config::Choices<S3PayloadSigning> choices_of(S3PayloadSigning signing);

// How to get at S3. Everything may be left out: then it is as for all programs that use AWS.
struct S3Settings {
  std::string endpoint;
  std::string region;
  std::string profile;
  config::Secret access_key_id;
  config::Secret secret_access_key;
  config::Secret session_token;
  S3Addresses addresses = S3Addresses::kAuto;
  std::string ca_file;
  S3PayloadSigning payload_signing = S3PayloadSigning::kAuto;
  bool vend_credentials = true;

  static config::Fields<S3Settings> fields();
};

struct StorageSettings {
  std::string path = ".headrace";  // relative to the project folder
  std::string warehouse;           // likewise, or s3://…; empty: warehouse/ in `path`
  config::Bytes cache_size = config::gibibytes(4);
  S3Settings s3;

  static config::Fields<StorageSettings> fields();
};

enum class StoreType { kSqlite, kPostgres };
config::Choices<StoreType> choices_of(StoreType type);

// Where metadata that must change atomically is kept: above all, which files make up each table.
struct StoreSettings {
  StoreType type = StoreType::kSqlite;
  config::Secret url;
  std::string schema = "headrace";

  static config::Fields<StoreSettings> fields();
};

struct EngineSettings {
  config::Bytes memory = config::mebibytes(512);
  int threads = 0;  // 0: one for each core

  static config::Fields<EngineSettings> fields();
};

// Hot rows become files at this size or age, whichever comes first.
struct CommitSettings {
  config::Bytes rows_bytes = config::mebibytes(128);
  std::chrono::milliseconds interval = std::chrono::minutes(1);

  static config::Fields<CommitSettings> fields();
};

// How the server keeps its tables in order by itself.
struct MaintenanceSettings {
  bool enabled = true;
  std::chrono::milliseconds interval = std::chrono::minutes(1);
  config::Bytes target_file_size = config::mebibytes(128);
  int min_files = 8;
  int share_percent = 25;
  std::chrono::milliseconds orphan_age = std::chrono::hours(72);

  static config::Fields<MaintenanceSettings> fields();
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };
config::Choices<LogLevel> choices_of(LogLevel level);
enum class LogFormat { kText, kJson };
config::Choices<LogFormat> choices_of(LogFormat format);

struct LogSettings {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;

  static config::Fields<LogSettings> fields();
};

struct TopicSettings {
  bool auto_create = true;

  static config::Fields<TopicSettings> fields();
};

struct Settings {
  std::string name;
  ServerSettings server;
  StorageSettings storage;
  StoreSettings store;
  EngineSettings engine;
  CommitSettings commit;
  MaintenanceSettings maintenance;
  LogSettings log;
  TopicSettings topics;

  static config::Fields<Settings> fields();
};

}  // namespace headrace::project

namespace headrace::config {

template <>
struct Value<project::ListenAddress> {
  static ValueType type() { return {ValueKind::kText, {}, {}, {}}; }
  static bool read(const Node& node, project::ListenAddress& into, Problems& problems);
  static Json to_json(const project::ListenAddress& value) { return Json(value.to_text()); }
};

}  // namespace headrace::config
