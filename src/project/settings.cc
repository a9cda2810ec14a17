#include "project/settings.h"

#include "objects/uri.h"
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

std::string check_warehouse(const std::string& warehouse) {
  if (warehouse.find("://") == std::string::npos && !warehouse.starts_with("file:")) return "";
  try {
    objects::normalized(warehouse);
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

std::string check_endpoint(const std::string& endpoint) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!endpoint.starts_with(scheme)) continue;
    const std::string host = endpoint.substr(scheme.size());
    const bool is_host = !host.empty() && host.find_first_of("/?#@ ") == std::string::npos;
    if (is_host) return "";
  }
  return "must be https://host or http://host:port, without a path or bucket";
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
                "where the tables' files are: a folder, relative to the project, or "
                "`s3://bucket/prefix`; warehouse/ in storage.path unless given. Processes that "
                "share a store name the same place",
                config::example("s3://lake/production"), config::check(check_warehouse))
      .optional("cache_size", &StorageSettings::cache_size,
                "room on the local disk, in cache/ of storage.path, for what is read from S3",
                at_least(mebibytes(16)), at_most(gibibytes(65'536)))
      .optional("s3", &StorageSettings::s3,
                "how to get at S3, for a warehouse and for tables that are there");
}

config::Choices<S3Addresses> choices_of(S3Addresses) {
  return {{"auto", S3Addresses::kAuto, "path with an endpoint of one's own, else virtual"},
          {"path", S3Addresses::kPath, "https://endpoint/bucket/key"},
          {"virtual", S3Addresses::kVirtual, "https://bucket.endpoint/key"}};
}

config::Choices<S3PayloadSigning> choices_of(S3PayloadSigning) {
  return {{"auto", S3PayloadSigning::kAuto, "signed over http, unsigned over https"},
          {"signed", S3PayloadSigning::kSigned, "the content is part of each signature"},
          {"unsigned", S3PayloadSigning::kUnsigned, "only TLS protects the content"}};
}

Fields<S3Settings> S3Settings::fields() {
  return Fields<S3Settings>()
      .optional("endpoint", &S3Settings::endpoint,
                "the server, when it is not Amazon's; else AWS_ENDPOINT_URL_S3 or "
                "AWS_ENDPOINT_URL, if set",
                config::example("https://minio.example.com:9000"),
                config::check([](const std::string& endpoint) {
                  return endpoint.empty() ? "" : check_endpoint(endpoint);
                }))
      .optional("region", &S3Settings::region,
                "else AWS_REGION, AWS_DEFAULT_REGION, the profile's, or us-east-1",
                config::example("eu-central-1"))
      .optional("profile", &S3Settings::profile,
                "of ~/.aws/config and ~/.aws/credentials; else AWS_PROFILE, or `default`")
      .optional("access_key_id", &S3Settings::access_key_id,
                "the key, when it is not to be found as for all programs that use AWS: in the "
                "environment, by a web identity, in a profile, from the container or the machine",
                config::example("\"${S3_ACCESS_KEY_ID}\""))
      .optional("secret_access_key", &S3Settings::secret_access_key,
                "its secret; keep it out of the file",
                config::example("\"${S3_SECRET_ACCESS_KEY}\""))
      .optional("session_token", &S3Settings::session_token,
                "of temporary keys; they are not renewed when they stand here",
                config::example("\"${S3_SESSION_TOKEN}\""))
      .optional("addresses", &S3Settings::addresses, "where in the address the bucket stands")
      .optional("ca_file", &S3Settings::ca_file,
                "certificates (PEM) of the authorities to trust in place of the system's, for an "
                "endpoint whose certificate is one's own; else AWS_CA_BUNDLE, if set",
                config::example("/etc/ssl/our-ca.pem"))
      .optional("payload_signing", &S3Settings::payload_signing,
                "whether what is written is part of a request's signature")
      .optional(
          "vend_credentials", &S3Settings::vend_credentials,
          "whether clients of the Iceberg catalog that ask for it (X-Iceberg-Access-Delegation: "
          "vended-credentials) get the server's credentials, to read and write the tables' files")
      .all_or_none_of({"access_key_id", "secret_access_key"});
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
      .optional("interval", &MaintenanceSettings::interval,
                "how often the tables are looked at; sooner after 60 commits",
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
