#include "project/project.h"

#include "project/tests/project_folder.h"

namespace headrace::project {
namespace {

constexpr const char* kOrdersJob = R"(mode: streaming
batch: {records: 100, wait: 10ms}
nodes:
  silver: {type: table, input: paid, table: silver.orders, partition_by: [day(time)]}
  paid: {type: filter, input: orders, where: amount > 0}
  orders: {type: topic, topic: orders}
)";

using ProjectTest = ProjectFolder;

TEST_F(ProjectTest, AWholeProjectIsRead) {
  write("headrace.yaml",
        "name: shop\nserver: {listen: 'localhost:9000', query_timeout: 30s}\n"
        "engine: {memory: 1GiB}\ncommit: {interval: 10s}\nlog: {format: json}\n");
  write("topics/orders.yaml", "partitions: 4\ncompression: zstd\nretention: {time: forever}\n");
  write("sources/shop.yaml", "type: files\ntopic: orders\npath: data/*.ndjson\n");
  write("jobs/orders.yaml", kOrdersJob);
  write("views/per_day.sql", "-- table: gold.per_day\n-- for the morning\nSELECT 1\n");
  write("jobs/.orders.yaml.swp.yaml", "nonsense");

  config::Problems problems;
  const Project project = load(problems);
  EXPECT_EQ(problems.to_text(), "");
  EXPECT_EQ(project.settings.server.listen.port, 9000);
  EXPECT_EQ(project.settings.engine.memory, config::gibibytes(1));
  EXPECT_EQ(project.settings.log.format, LogFormat::kJson);
  ASSERT_EQ(project.topics.size(), 1U);
  const stream::TopicConfig topic = project.topics[0].to_topic_config();
  EXPECT_EQ(topic.partitions, 4);
  EXPECT_EQ(topic.retention_ms, -1);
  EXPECT_EQ(topic.compression, stream::Compression::kZstd);
  ASSERT_EQ(project.sources.size(), 1U);
  EXPECT_EQ(project.sources[0].name, "shop");
  ASSERT_EQ(project.views.size(), 1U);
  EXPECT_EQ(project.views[0].table, "gold.per_day");
  EXPECT_EQ(project.views[0].first_sql_line, 3);
  EXPECT_EQ(project.files.size(), 5U);
}

TEST_F(ProjectTest, ATopicMayNameObjectStorage) {
  write("topics/orders.yaml",
        "tiered_storage: {uri: 's3://lake/topics', local_retention: {time: 2h, bytes: 1GiB}, "
        "upload_interval: 90s}\n");
  write("topics/plain.yaml",
        "tiered_storage: {uri: /mnt/archive, local_retention: {time: forever}}\n");
  const Project project = load_whole();
  const stream::TieredStorage tier = project.find_topic("orders")->to_topic_config().tiered_storage;
  EXPECT_EQ(tier.uri, "s3://lake/topics");
  EXPECT_EQ(tier.local_retention_ms, 7'200'000);
  EXPECT_EQ(tier.local_retention_bytes, 1 << 30);
  EXPECT_EQ(tier.upload_interval_ms, 90'000);
  EXPECT_EQ(project.find_topic("plain")->to_topic_config().tiered_storage.local_retention_ms, -1);
}

TEST_F(ProjectTest, APlaceThatIsNoneIsTold) {
  write("topics/a.yaml", "tiered_storage: {uri: 'ftp://x/y'}\n");
  write("topics/b.yaml", "tiered_storage: {upload_interval: 90s}\n");
  write("topics/c.yaml", "tiered_storage: {uri: 's3://lake/y', upload_interval: 1ms}\n");
  config::Problems problems;
  load(problems);
  EXPECT_EQ(problems.error_count(), 3U) << problems.to_text();
  EXPECT_NE(problems.to_text().find("tiered_storage needs a uri"), std::string::npos);
}

TEST_F(ProjectTest, NodesComeAfterTheirInputs) {
  write("topics/orders.yaml", "");
  write("jobs/orders.yaml", kOrdersJob);
  const Project project = load_whole();
  const JobDefinition* job = project.find_job("orders");
  ASSERT_NE(job, nullptr);
  ASSERT_EQ(job->nodes.size(), 3U);
  EXPECT_EQ(job->nodes[0].name, "orders");
  EXPECT_EQ(job->nodes[0].facts.topic_read, "orders");
  EXPECT_EQ(job->nodes[1].facts.inputs, std::vector<std::string>{"orders"});
  EXPECT_TRUE(job->nodes[2].is_target());
  EXPECT_EQ(job->nodes[2].facts.table_written, "silver.orders");
  EXPECT_EQ(job->batch.records, 100);
}

TEST_F(ProjectTest, AllProblemsOfAllFilesAreToldAtOnce) {
  write("headrace.yaml", R"(name: 9shop
server:
  listen: "0.0.0.0:8642"
  max_conections: 10
  max_body_bytes: 2GiB
engine: {threads: many}
log: {level: verbose}
)");
  write("topics/orders.yaml", "name: orders\npartitions: 0\n");
  write("topics/other.yaml", "name: Orders\nretention: {time: 7}\n");
  write("sources/a.yaml", "type: fils\ntopic: orders\n");
  write("sources/b.yaml", "type: files\ntopic: ordres\n");
  write("jobs/a.yaml", R"(nodes:
  orders: {type: topic, topic: orders}
  paid: {type: filter, input: orders}
  silver:
    type: table
    input: piad
    tabel: silver.orders
  idle: {type: filter, input: bronze, where: a}
  bronze: {type: table, input: orders, table: silver.x}
)");
  write("jobs/b.yaml", R"(nodes:
  a: {type: filter, input: c, where: x}
  b: {type: filter, input: a, where: x}
  c: {type: filter, input: b, where: x}
)");
  write("jobs/c.yaml", R"(nodes:
  orders: {type: topic, topic: orders}
  paid: {type: filter, input: orders, where: x}
  silver: {type: table, input: orders, table: silver.c}
)");
  write("views/x.sql", "-- table: silver.x\nSELECT 1\n");
  write("views/y.sql", "SELECT 1\n");
  write("views/z.sql", "-- A view\n-- table: gold\n");
  EXPECT_EQ(
      problems(),
      R"(headrace.yaml:1:7: name: '9shop' cannot be a name: a letter comes first, then letters, digits, _ and -, 100 at most
headrace.yaml:4:3: server.max_conections: unknown field; did you mean 'max_connections'?
headrace.yaml:5:19: server.max_body_bytes: must be at most 1GiB
headrace.yaml:6:19: engine.threads: wants a whole number, found 'many'
headrace.yaml:7:14: log.level: wants one of debug, info, warning, error, found 'verbose'
jobs/a.yaml:3:3: nodes.paid: the field 'where' is missing; for example where: amount > 0
jobs/a.yaml:6:12: nodes.silver.input: there is no node 'piad' in this job; did you mean 'paid'?
jobs/a.yaml:7:5: nodes.silver.tabel: unknown field; did you mean 'table'?
jobs/a.yaml:8:31: nodes.idle.input: 'bronze' writes a table and has no output; take orders instead, whose rows it writes
jobs/b.yaml:1:1: nodes: no node writes anything; add one as: silver: {type: table, input: …, table: silver.orders}
jobs/b.yaml:2:28: nodes.a.input: takes its own rows: a ← c ← b ← a; rows can only go forward; break the circle
jobs/c.yaml:3:9: warning: nodes.paid: nobody uses the rows of this node; name it as an input, or remove it
sources/a.yaml:1:7: type: there is no source type 'fils'; did you mean 'files'?
sources/b.yaml:1:1: the field 'path' is missing; a glob
sources/b.yaml:2:8: warning: topic: no topic 'ordres' is declared: it will be created with the defaults; did you mean 'orders'?
topics/orders.yaml:2:13: partitions: must be at least 1
topics/other.yaml:1:7: name: declares the topic 'Orders', as topics/orders.yaml:1 does
topics/other.yaml:2:19: retention.time: wants a duration, found '7'; add its unit: 7ms, 7s, 7m, 7h or 7d
views/x.sql:1:11: table: writes the table 'silver.x', as jobs/a.yaml:9 does
views/y.sql: the view does not say which table it keeps; begin the file with a line as: -- table: gold.orders_per_day
views/z.sql:2:4: there is no query below the settings
views/z.sql:2:11: table: 'gold' cannot name a table: it is written database.table, as silver.orders, of letters, digits and _
)");
}

TEST_F(ProjectTest, AStoreIsCheckedBeforeAnythingConnects) {
  struct Case {
    const char* store;
    const char* problem;
  };
  for (const Case& c :
       {Case{"{type: postgres}", "headrace.yaml:2:15: store.type: PostgreSQL needs the address"},
        Case{"{type: postgres, url: 'mysql://me:pw@db/x'}",
             "headrace.yaml:2:30: store.url: is no address of a PostgreSQL database"},
        Case{"{url: 'postgresql://db/x'}", "headrace.yaml:2:14: store.url: SQLite keeps"},
        Case{"{type: mariadb}", "headrace.yaml:2:15: store.type: wants one of sqlite, postgres"},
        Case{"{type: postgres, url: '${NOT_SET_HERE}'}",
             "headrace.yaml:2:30: store.url: the environment"},
        Case{"{type: postgres, url: 'postgresql://me:pw@db:5432/x'}", ""},
        Case{"{type: sqlite}", ""}}) {
    write("headrace.yaml", std::string("name: shop\nstore: ") + c.store + "\n");
    const std::string found = problems();
    if (*c.problem == '\0') {
      EXPECT_EQ(found, "") << c.store;
    } else {
      EXPECT_EQ(found.find(c.problem), 0U) << c.store << ": " << found;
    }
    EXPECT_EQ(found.find("pw@"), std::string::npos) << found;
  }
}

TEST_F(ProjectTest, TheWarehouseIsInTheStorageUnlessItIsSaidWhere) {
  write("headrace.yaml", "name: shop\nstorage: {path: state}\n");
  EXPECT_EQ(load_whole().warehouse_path(), directory_ + "/state/warehouse");
  write("headrace.yaml", "name: shop\nstorage: {path: state, warehouse: /srv/lake}\n");
  EXPECT_EQ(load_whole().warehouse_path(), "/srv/lake");
}

TEST_F(ProjectTest, TheWarehouseMayBeInS3) {
  write("headrace.yaml", "name: shop\nstorage: {warehouse: s3://lake/prod}\n");
  EXPECT_EQ(problems(), "");
  EXPECT_EQ(load_whole().warehouse_path(), "s3://lake/prod");
  struct Case {
    const char* storage;
    const char* problem;
  };
  for (const Case& c :
       {Case{"{warehouse: gs://lake/prod}", "gs:// is no place for tables"},
        Case{"{warehouse: 's3:///prod'}", "is not the name of a bucket"},
        Case{"{warehouse: s3://lake/a/../b}", "a key cannot hold"},
        Case{"{s3: {endpoint: minio:9000}}", "must be https://host or http://host:port"},
        Case{"{s3: {endpoint: 'https://host/bucket'}}", "without a path or bucket"},
        Case{"{s3: {access_key_id: a}}", "secret_access_key"},
        Case{"{s3: {addresses: dns}}", "addresses"}}) {
    write("headrace.yaml", std::string("name: shop\nstorage: ") + c.storage + "\n");
    EXPECT_NE(problems().find(c.problem), std::string::npos) << c.storage << ": " << problems();
  }
}

TEST_F(ProjectTest, OutsideLoopbackATokenIsNeeded) {
  struct Case {
    const char* server;
    bool refused;
  };
  for (const Case& c : {Case{"{listen: '0.0.0.0:80'}", true}, Case{"{listen: '[::]:80'}", true},
                        Case{"{listen: 'example.com:80'}", true},
                        Case{"{listen: '127.0.0.1.example.com:80'}", true},
                        Case{"{listen: '0.0.0.0:80', token: ''}", true},
                        Case{"{listen: '0.0.0.0:80', token: secret}", false},
                        Case{"{listen: '127.0.0.2:80'}", false}, Case{"{listen: '[::1]:0'}", false},
                        Case{"{listen: 'localhost:80'}", false}}) {
    write("headrace.yaml", std::string("name: shop\nserver: ") + c.server + "\n");
    const bool refused = problems().find("anybody there could read") != std::string::npos;
    EXPECT_EQ(refused, c.refused) << c.server;
  }
}

TEST_F(ProjectTest, UndeclaredTopicsAreRefusedWhenToldSo) {
  write("headrace.yaml", "name: shop\ntopics: {auto_create: false}\n");
  write("sources/b.yaml", "type: files\ntopic: clicks\npath: x\n");
  EXPECT_EQ(problems(),
            "sources/b.yaml:2:8: topic: no topic 'clicks' is declared; declare it in "
            "topics/clicks.yaml\n");
}

TEST_F(ProjectTest, UndeclaredTopicsAreKnownOtherwise) {
  write("sources/b.yaml", "type: files\ntopic: clicks\npath: x\n");
  const Project project = load_whole();
  ASSERT_NE(project.find_topic("clicks"), nullptr);
  EXPECT_FALSE(project.find_topic("clicks")->declared);
}

TEST_F(ProjectTest, AFolderWithoutSettingsIsNoProject) {
  files_->remove(directory_ + "/headrace.yaml");
  config::Problems problems;
  try {
    load(problems);
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
}

}  // namespace
}  // namespace headrace::project
