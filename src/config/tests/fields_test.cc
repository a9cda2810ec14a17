#include "config/fields.h"

#include <gtest/gtest.h>

namespace headrace::config {
namespace {

using std::chrono::milliseconds;

enum class Mode { kOnce, kWatch };
Choices<Mode> choices_of(Mode) {
  return {{"once", Mode::kOnce, "read what is there and end"}, {"watch", Mode::kWatch}};
}

struct Retention {
  milliseconds time = std::chrono::hours(24 * 7);
  Bytes size = mebibytes(64);

  static Fields<Retention> fields() {
    return Fields<Retention>()
        .optional("time", &Retention::time, "how long records are kept", at_least(milliseconds(1)))
        .optional("size", &Retention::size, "how many bytes are kept");
  }
};

struct Options {
  std::string name;
  std::optional<std::string> reason;
  int64_t records = 50000;
  double speed = 1;
  bool header = true;
  Mode mode = Mode::kWatch;
  Secret token;
  std::vector<std::string> keys;
  OrderedMap<std::string> columns;
  Retention retention;
  std::vector<Retention> tiers;

  static Fields<Options> fields() {
    return Fields<Options>()
        .required("name", &Options::name, "what it is called", example("orders"), not_empty())
        .optional("reason", &Options::reason, "why")
        .optional("records", &Options::records, "rows of a batch", unit("rows"), at_least(1),
                  at_most(1'000'000))
        .optional("speed", &Options::speed, "times real time")
        .optional("header", &Options::header, "is the first line a header?")
        .optional("mode", &Options::mode, "when to end")
        .optional("token", &Options::token, "who may")
        .optional("keys", &Options::keys, "columns of the key")
        .optional("columns", &Options::columns, "name to type")
        .optional("retention", &Options::retention, "what is kept")
        .optional("tiers", &Options::tiers, "more of it");
  }
};

Options read(const std::string& yaml, Problems& problems) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "TOKEN" ? std::optional<std::string>("s3cret") : std::nullopt;
  };
  return Options::fields().read(parse_yaml(yaml, "x.yaml", problems, environment).root(), problems);
}

std::string problems_of(const std::string& yaml) {
  Problems problems;
  read(yaml, problems);
  problems.sort();
  return problems.to_text();
}

TEST(Fields, ReadEveryType) {
  Problems problems;
  const Options options = read(R"(
name: orders
reason: "because"
records: 10_000
speed: 2.5
header: false
mode: once
token: ${TOKEN}
keys: [b, a]
columns:
  zebra: varchar
  apple: bigint
retention: {time: 5m, size: 1GB}
tiers:
  - time: 50ms
)",
                               problems);
  EXPECT_EQ(problems.to_text(), "");
  EXPECT_EQ(options.name, "orders");
  EXPECT_EQ(options.reason, "because");
  EXPECT_EQ(options.records, 10000);
  EXPECT_EQ(options.speed, 2.5);
  EXPECT_FALSE(options.header);
  EXPECT_EQ(options.mode, Mode::kOnce);
  EXPECT_EQ(options.token.reveal(), "s3cret");
  EXPECT_EQ(options.keys, (std::vector<std::string>{"b", "a"}));
  ASSERT_EQ(options.columns.size(), 2U);
  EXPECT_EQ(options.columns[0].name, "zebra");
  EXPECT_EQ(options.columns[1].value, "bigint");
  EXPECT_EQ(options.columns[1].node.line(), 12);
  EXPECT_EQ(options.retention.time, milliseconds(300'000));
  EXPECT_EQ(options.retention.size.count, 1'000'000'000);
  ASSERT_EQ(options.tiers.size(), 1U);
  EXPECT_EQ(options.tiers[0].time, milliseconds(50));
  EXPECT_EQ(options.tiers[0].size, mebibytes(64));
}

TEST(Fields, AbsentFieldsKeepTheirDefaults) {
  Problems problems;
  const Options options = read("name: a\nrecords:\nreason: ~\n", problems);
  EXPECT_EQ(problems.to_text(), "");
  EXPECT_EQ(options.records, 50000);
  EXPECT_EQ(options.reason, std::nullopt);
  EXPECT_EQ(options.retention.time, std::chrono::hours(168));
}

TEST(Fields, AllProblemsAreToldAtOnce) {
  EXPECT_EQ(problems_of(R"(nmae: orders
records: 0
speed: fast
header: maybe
mode: wach
keys: a
columns: [a]
retention:
  time: 60
  sise: 1GB
tiers:
  - time: 0s
  - {}
  - 7
surplus: 1
)"),
            R"(x.yaml:1:1: nmae: unknown field; did you mean 'name'?
x.yaml:2:10: records: must be at least 1
x.yaml:3:8: speed: wants a number, found 'fast'
x.yaml:4:9: header: wants true or false, found 'maybe'
x.yaml:5:7: mode: wants one of once, watch, found 'wach'; did you mean 'watch'?
x.yaml:6:7: keys: wants a list of text, found 'a'; write [a]
x.yaml:7:10: columns: wants a map of name to text, found a list
x.yaml:9:9: retention.time: wants a duration, found '60'; add its unit: 60ms, 60s, 60m, 60h or 60d
x.yaml:10:3: retention.sise: unknown field; did you mean 'size'?
x.yaml:12:11: tiers[0].time: must be at least 1ms
x.yaml:14:5: tiers[2]: wants a map of fields, found '7'
x.yaml:15:1: surplus: unknown field; there are: name, reason, records, speed, header, mode, token, keys, columns, retention, tiers
)");
}

TEST(Fields, WhatIsMissingIsNamedWithAnExample) {
  EXPECT_EQ(problems_of("records: 1\n"),
            "x.yaml:1:1: the field 'name' is missing; for example name: orders\n");
  EXPECT_EQ(problems_of("name:\n"), "x.yaml:1:1: name: has no value; for example name: orders\n");
  EXPECT_EQ(problems_of("name: ''\n"), "x.yaml:1:7: name: must not be empty\n");
  EXPECT_EQ(problems_of("[1]\n"), "x.yaml:1:1: wants a map of fields, found a list\n");
}

struct Choosing {
  std::string where;
  std::string query;
  int low = 0;
  int high = 10;
  static Fields<Choosing> fields() {
    return Fields<Choosing>()
        .optional("where", &Choosing::where, "")
        .optional("query", &Choosing::query, "",
                  config::check([](const std::string& query) -> std::string {
                    return query.starts_with("SELECT") ? "" : "must begin with SELECT";
                  }))
        .optional("low", &Choosing::low, "")
        .optional("high", &Choosing::high, "")
        .exactly_one_of({"where", "query"})
        .read_elsewhere({"type"})
        .check([](const Choosing& value, const Node& node, Problems& problems) {
          if (value.low > value.high) problems.add(node.find_or_self("low"), "is above 'high'");
        });
  }
};

TEST(Fields, GroupsAndChecks) {
  const auto check = [](const std::string& yaml) {
    Problems problems;
    Choosing::fields().read(parse_yaml(yaml, "x.yaml", problems).root(), problems);
    return problems.to_text();
  };
  EXPECT_EQ(check("{type: x, where: a}"), "");
  EXPECT_EQ(check("low: 1"), "x.yaml:1:1: needs exactly one of 'where', 'query'\n");
  EXPECT_EQ(check("{where: a, query: SELECT 1}"),
            "x.yaml:1:1: needs exactly one of 'where', 'query'; found 'where', 'query'\n");
  EXPECT_EQ(check("query: DROP"), "x.yaml:1:8: query: must begin with SELECT\n");
  EXPECT_EQ(check("{where: a, low: 11}"), "x.yaml:1:17: low: is above 'high'\n");
  EXPECT_EQ(check("{where: a, low: 3000000000}"),
            "x.yaml:1:17: low: must be from -2147483648 to 2147483647\n");
}

TEST(Fields, ShownValuesHideSecrets) {
  Problems problems;
  const Options options = read("{name: a, token: '${TOKEN}', keys: [k]}", problems);
  const Json shown = Options::fields().to_json(options);
  EXPECT_EQ(string_member(shown, "token"), "***");
  EXPECT_EQ(to_text(shown).find("s3cret"), std::string::npos);
  EXPECT_EQ(string_member(member(shown, "retention"), "time"), "7d");
}

}  // namespace
}  // namespace headrace::config
