#include "project/settings.h"

#include "project/names.h"
#include "store/metadata_store.h"

namespace headrace::project {

using config::at_least;
using config::at_most;
using config::Bytes;
using config::Fields;
using config::gibibytes;
using config::kibibytes;
using config::mebibytes;
using config::unit;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr int kHighestPort = 65535;

void require_token_outside(const ServerSettings& server, const config::Node& node,
                           config::Problems& problems) {
  if (server.listen.is_loopback() || !server.token.empty()) return;
  problems.add(node.find_or_self("listen"),
               format("{} can be reached from other machines, and anybody there could read and "
                      "write everything without a token",
                      server.listen.to_text()),
               R"(add token: "${HEADRACE_TOKEN}", or listen on 127.0.0.1)");
}

void check_store(const StoreSettings& store, const config::Node& node, config::Problems& problems) {
  if (node.find_or_self("url").is_broken()) return;  // a variable that is not set was told already
  if (store.type == StoreType::kSqlite) {
    if (store.url.empty()) return;
    problems.add(node.find_or_self("url"),
                 "SQLite keeps metadata.db in the folder storage.path and needs no address",
                 "add type: postgres, or remove the url");
    return;
  }
  const std::string wanted = R"(write url: "${HEADRACE_STORE_URL}", and in that variable )"
                             "postgresql://user:password@host:5432/database";
  if (store.url.empty()) {
    problems.add(node.find_or_self("type"), "PostgreSQL needs the address of a database", wanted);
    return;
  }
  const std::string complaint = store::complaint_about_postgres_url(store.url.reveal());
  if (!complaint.empty()) problems.add(node.find_or_self("url"), complaint, wanted);
}

}  // namespace

std::string ListenAddress::to_text() const {
  return host.find(':') == std::string::npos ? format("{}:{}", host, port)
                                             : format("[{}]:{}", host, port);
}

bool ListenAddress::is_loopback() const {
  const bool only_digits = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && only_digits);
}

config::Choices<QueryFileAccess> choices_of(QueryFileAccess) {
  return {{"auto", QueryFileAccess::kAuto, "read on loopback, none elsewhere"},
          {"none", QueryFileAccess::kNone, "queries see tables and no file"},
          {"read", QueryFileAccess::kRead, "queries may read what the server's user can read"}};
}

Fields<ServerSettings> ServerSettings::fields() {
  return Fields<ServerSettings>()
      .optional("listen", &ServerSettings::listen,
                "address and port of the server; outside loopback only with a token. Port 0 takes "
                "a free one")
      .optional("token", &ServerSettings::token,
                "what clients send as `Authorization: Bearer …`; without it everybody on this "
                "machine may do everything",
                config::example("\"${HEADRACE_TOKEN}\""))
      .optional("max_body_bytes", &ServerSettings::max_body_bytes,
                "largest body of a request, before and after decompression", at_least(kibibytes(1)),
                at_most(gibibytes(1)))
      .optional("max_connections", &ServerSettings::max_connections,
                "open connections; more are answered 503", at_least(1), at_most(100'000))
      .optional("query_timeout", &ServerSettings::query_timeout,
                "a query that takes longer is ended", at_least(milliseconds(1)),
                at_most(std::chrono::hours(24)))
      .optional("query_max_rows", &ServerSettings::query_max_rows,
                "rows that one answer has at most; what is cut off is said", unit("rows"),
                at_least(1), at_most(1'000'000'000))
      .optional("query_file_access", &ServerSettings::query_file_access,
                "whether SQL that is sent to the server may read files (`read_csv`, `FROM "
                "'x.parquet'`); jobs and views always may, and so does `headrace sql` without a "
                "server")
      .check(require_token_outside);
}

Fields<StorageSettings> StorageSettings::fields() {
  return Fields<StorageSettings>()
      .optional("path", &StorageSettings::path,
                "folder of streams/, warehouse/ and metadata.db, relative to the project",
                config::not_empty())
      .optional("warehouse", &StorageSettings::warehouse,
                "folder of the tables' files, relative to the project; warehouse/ in storage.path "
                "unless given. Processes that share a store name the same folder");
}

config::Choices<StoreType> choices_of(StoreType) {
  return {{"sqlite", StoreType::kSqlite, "metadata.db in storage.path; one process writes"},
          {"postgres", StoreType::kPostgres,
           "a PostgreSQL database, which several processes share: each job runs in one of them"}};
}

Fields<StoreSettings> StoreSettings::fields() {
  return Fields<StoreSettings>()
      .optional("type", &StoreSettings::type, "the kind of store")
      .optional("url", &StoreSettings::url,
                "address of the PostgreSQL database, as libpq takes it; keep the password out of "
                "the file",
                config::example("\"${HEADRACE_STORE_URL}\""))
      .optional("schema", &StoreSettings::schema,
                "schema in that database; each is a catalog of its own and is made when it is not "
                "there",
                config::not_empty())
      .check(check_store);
}

Fields<EngineSettings> EngineSettings::fields() {
  return Fields<EngineSettings>()
      .optional("memory", &EngineSettings::memory,
                "what the SQL engine may use before it writes to disk", at_least(mebibytes(64)),
                at_most(gibibytes(4096)))
      .optional("threads", &EngineSettings::threads,
                "threads of the SQL engine; 0 is one for each core", at_least(0), at_most(1024));
}

Fields<CommitSettings> CommitSettings::fields() {
  return Fields<CommitSettings>()
      .optional("rows_bytes", &CommitSettings::rows_bytes,
                "hot rows of a table become files at this size", at_least(kibibytes(64)),
                at_most(gibibytes(16)))
      .optional("interval", &CommitSettings::interval,
                "and at this age at the latest; they are visible to SQL before",
                at_least(milliseconds(100)), at_most(std::chrono::hours(24)));
}

Fields<MaintenanceSettings> MaintenanceSettings::fields() {
  return Fields<MaintenanceSettings>()
      .optional("enabled", &MaintenanceSettings::enabled,
                "merge small files and remove orphans while the server runs; by hand there is "
                "`headrace tables optimize` and `expire`")
      .optional("interval", &MaintenanceSettings::interval, "how often the tables are looked at",
                at_least(milliseconds(100)), at_most(std::chrono::hours(24)))
      .optional("target_file_size", &MaintenanceSettings::target_file_size,
                "small files are merged up to this size", at_least(mebibytes(1)),
                at_most(gibibytes(4)))
      .optional("min_files", &MaintenanceSettings::min_files,
                "a merge takes in at least as many files", at_least(2), at_most(10'000))
      .optional("share_percent", &MaintenanceSettings::share_percent,
                "the part of the time, at most, in which it works", unit("percent"), at_least(1),
                at_most(100))
      .optional("orphan_age", &MaintenanceSettings::orphan_age,
                "files that no snapshot refers to are removed when they are older; longer than any "
                "commit may take",
                at_least(std::chrono::hours(1)), at_most(std::chrono::hours(24 * 365)));
}

config::Choices<LogLevel> choices_of(LogLevel) {
  return {{"debug", LogLevel::kDebug},
          {"info", LogLevel::kInfo},
          {"warning", LogLevel::kWarning},
          {"error", LogLevel::kError}};
}

config::Choices<LogFormat> choices_of(LogFormat) {
  return {{"text", LogFormat::kText, "for people"},
          {"json", LogFormat::kJson, "one object a line, for programs"}};
}

Fields<LogSettings> LogSettings::fields() {
  return Fields<LogSettings>()
      .optional("level", &LogSettings::level, "the least important entries to write")
      .optional("format", &LogSettings::format, "how entries are written");
}

Fields<TopicSettings> TopicSettings::fields() {
  return Fields<TopicSettings>().optional(
      "auto_create", &TopicSettings::auto_create,
      "create topics that sources and jobs name, but topics/ does not declare");
}

Fields<Settings> Settings::fields() {
  return Fields<Settings>()
      .required("name", &Settings::name, "what the project is called", config::example("shop"),
                config::check(check_name))
      .optional("server", &Settings::server, "the HTTP server")
      .optional("storage", &Settings::storage, "where everything is kept")
      .optional("store", &Settings::store,
                "where it is kept which files make up each table, and who runs which job")
      .optional("engine", &Settings::engine, "what SQL may use")
      .optional("commit", &Settings::commit, "when hot rows become files")
      .optional("maintenance", &Settings::maintenance, "how tables are kept in order")
      .optional("log", &Settings::log, "logs")
      .optional("topics", &Settings::topics, "topics in general");
}

}  // namespace headrace::project

namespace headrace::config {

bool Value<project::ListenAddress>::read(const Node& node, project::ListenAddress& into,
                                         Problems& problems) {
  std::string text;
  if (!read_text(node, text, problems)) return false;
  const size_t colon = text.rfind(':');
  std::string host = colon == std::string::npos ? "" : text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_integer(text.substr(colon + 1));
  if (host.empty() || !port || *port < 0 || *port > project::kHighestPort) {
    report_type(node, "an address and a port", problems, "write one as 127.0.0.1:8642");
    return false;
  }
  into.host = host;
  into.port = static_cast<int>(*port);
  return true;
}

}  // namespace headrace::config
