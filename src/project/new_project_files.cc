// The files of a new project, as they are written. Tests load them and run them.

#include "base/format.h"
#include "project/new_project.h"

namespace headrace::project {

namespace {

constexpr const char* kSettings = R"(# The project. `headrace check` validates every file of it.
# All settings with their defaults: docs/reference/settings.md
name: {}

server:
  # Only programs of this machine can connect. To listen for others, set a token as well:
  #   listen: "0.0.0.0:8642"
  #   token: "${{HEADRACE_TOKEN}}"      # taken from the environment, never written down
  listen: "127.0.0.1:8642"

engine:
  memory: 512MiB                      # what SQL may use before it writes to disk

# Rows are visible to SQL as soon as a job has produced them. They become Parquet files
# when there is this much of them, or when they are this old.
commit:
  rows_bytes: 128MiB
  interval: 60s
)";

constexpr const char* kTopic =
    R"(# A topic keeps records durably, in the order in which they came. Its name is the file's.
#
# Programs send records to it over HTTP, one JSON object a line:
#   curl -H 'Content-Type: application/x-ndjson' --data-binary @more.ndjson \
#        http://127.0.0.1:8642/v1/topics/events/records
# or by hand:
#   headrace send events more.ndjson
# The answer comes when they are on disk. What is no JSON is refused, with its line; with
# ?validate=false it is taken in, and the job decides what becomes of it.
partitions: 1               # more, if one cannot keep up; records of one key stay in order
compression: lz4            # none, lz4 (fast), zstd (smaller)
retention:
  time: 7d                  # older records are dropped once every job has read them
)";

constexpr const char* kSource =
    R"(# A source brings records into a topic by itself. This one reads files, each line once, even
# when headrace is stopped in between.
type: files
topic: events
path: data/*.ndjson         # seen from the project folder
format: ndjson
mode: once                  # `watch` goes on, and takes new files and new lines
timestamp: time             # the field that is the record's time
)";

constexpr const char* kJob =
    R"(# A job takes records through a graph of nodes. Each node names the node whose rows it takes.
mode: streaming             # runs for as long as the server; `batch` ends when it has read all
batch: {records: 50000, wait: 50ms}

nodes:
  # Where it begins: the records of topics/events.yaml, each exactly once.
  events:
    type: topic
    topic: events

  # Bronze keeps the records as they came, so that everything below can be made again.
  bronze:
    type: table
    input: events
    table: bronze.events

  # Typed columns. A record that is no JSON, or has a value of another type, becomes a dead
  # letter with its reason: see `headrace deadletters list`.
  parsed:
    type: parse
    input: events
    format: json
    fields:
      id: bigint
      time: timestamptz
      kind: varchar
      user: varchar
      amount: double

  # Only what makes sense goes on.
  valid:
    type: filter
    input: parsed
    where: amount >= 0
    otherwise: dead_letter
    reason: amount is negative

  # Silver: an Iceberg table, its files divided by day.
  silver:
    type: table
    input: valid
    table: silver.events
    partition_by: [day(time)]
)";

constexpr const char* kView = R"(-- table: gold.events_per_minute
--
-- A view keeps a gold table up to date from what is new in the tables below it. It is never
-- computed from the start again, and a late event corrects the minute that it belongs to.
SELECT
  kind,
  time_bucket(INTERVAL '1 minute', time) AS minute,
  count(*) AS events,
  sum(amount) AS amount
FROM silver.events
GROUP BY kind, minute
)";

// Line 8 is cut off, line 13 has an amount that is no number, line 17 a negative one.
constexpr const char* kData =
    R"({"id":1,"time":"2026-01-05T09:00:04Z","kind":"view","user":"ada","amount":0}
{"id":2,"time":"2026-01-05T09:00:11Z","kind":"view","user":"grace","amount":0}
{"id":3,"time":"2026-01-05T09:00:19Z","kind":"order","user":"ada","amount":24.9}
{"id":4,"time":"2026-01-05T09:00:42Z","kind":"view","user":"edsger","amount":0}
{"id":5,"time":"2026-01-05T09:01:03Z","kind":"view","user":"barbara","amount":0}
{"id":6,"time":"2026-01-05T09:01:15Z","kind":"order","user":"grace","amount":112.5}
{"id":7,"time":"2026-01-05T09:01:31Z","kind":"view","user":"ada","amount":0}
{"id":8,"time":"2026-01-05T09:01:40Z","kind":"vi
{"id":9,"time":"2026-01-05T09:01:58Z","kind":"order","user":"barbara","amount":8}
{"id":10,"time":"2026-01-05T09:02:07Z","kind":"view","user":"alan","amount":0}
{"id":11,"time":"2026-01-05T09:02:13Z","kind":"view","user":"alan","amount":0}
{"id":12,"time":"2026-01-05T09:02:29Z","kind":"order","user":"alan","amount":39.99}
{"id":13,"time":"2026-01-05T09:02:44Z","kind":"order","user":"edsger","amount":"a lot"}
{"id":14,"time":"2026-01-05T09:03:01Z","kind":"view","user":"ada","amount":0}
{"id":15,"time":"2026-01-05T09:03:20Z","kind":"refund","user":"grace","amount":12.5}
{"id":16,"time":"2026-01-05T09:03:33Z","kind":"view","user":"barbara","amount":0}
{"id":17,"time":"2026-01-05T09:03:47Z","kind":"order","user":"ada","amount":-5}
{"id":18,"time":"2026-01-06T10:15:02Z","kind":"view","user":"edsger","amount":0}
{"id":19,"time":"2026-01-06T10:15:28Z","kind":"order","user":"edsger","amount":64}
{"id":20,"time":"2026-01-06T10:15:59Z","kind":"view","user":"grace","amount":0}
)";

constexpr const char* kIgnore = R"(# State of the embedded storage: streams, tables, metadata.
.headrace/
)";

constexpr const char* kReadme = R"(# {}

A headrace project. Records travel from `sources/` (or over HTTP) into `topics/`, through `jobs/`
into tables, and from there through `views/` into gold tables.

    headrace check                  # is everything right?
    headrace serve                  # run it; changed files are taken up while it runs

and, in another terminal:

    headrace sql "SELECT * FROM gold.events_per_minute ORDER BY minute, kind"
    headrace deadletters list       # three of the sample's records are wrong, on purpose
    headrace sql "SELECT * FROM bronze.events"
    echo '{{"id":21,"time":"2026-01-06T10:16:20Z","kind":"order","user":"ada","amount":9.5}}' | headrace send events
    headrace sql "SELECT * FROM gold.events_per_minute ORDER BY minute DESC"    # the order is in it

| File | What it is |
|---|---|
| `headrace.yaml` | settings of the whole |
| `topics/events.yaml` | a durable topic |
| `sources/sample.yaml` | reads `data/events.ndjson` into the topic |
| `jobs/events.yaml` | topic → bronze as it came; → parsed → filtered → silver |
| `views/events_per_minute.sql` | silver → gold, kept up to date |
| `.headrace/` | where everything is kept; remove it to start afresh |
)";

}  // namespace

std::vector<NewFile> new_project_files(const std::string& name) {
  return {
      {"headrace.yaml", format(kSettings, name)},
      {"topics/events.yaml", kTopic},
      {"sources/sample.yaml", kSource},
      {"jobs/events.yaml", kJob},
      {"views/events_per_minute.sql", kView},
      {"data/events.ndjson", kData},
      {".gitignore", kIgnore},
      {"README.md", format(kReadme, name)},
  };
}

}  // namespace headrace::project
