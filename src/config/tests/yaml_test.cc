#include "config/yaml.h"

#include <gtest/gtest.h>

namespace headrace::config {
namespace {

Environment test_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOST") return "localhost";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
}

Node parse(const std::string& yaml, Problems& problems) {
  return parse_yaml(yaml, "x.yaml", problems, test_environment()).root();
}

std::string syntax_problems_of(const std::string& yaml, const YamlLimits& limits = {}) {
  Problems problems;
  parse_yaml(yaml, "x.yaml", problems, test_environment(), limits);
  return problems.to_text();
}

std::string json_of(const std::string& yaml) {
  Problems problems;
  const Node root = parse(yaml, problems);
  EXPECT_EQ(problems.to_text(), "") << yaml;
  return to_text(root.to_json());
}

TEST(Yaml, BecomesATreeThatKnowsItsPlaces) {
  Problems problems;
  const Node root = parse("nodes:\n  silver:\n    partition_by: [a, day(time)]\n", problems);
  const Node value = (*root.find("nodes")->find("silver")->find("partition_by"))[1];
  EXPECT_EQ(value.text(), "day(time)");
  EXPECT_EQ(value.file(), "x.yaml");
  EXPECT_EQ(value.path(), "nodes.silver.partition_by[1]");
  EXPECT_EQ(value.line(), 3);
  EXPECT_EQ(value.column(), 23);
  const Node silver = *root.find("nodes")->find("silver");
  EXPECT_EQ(silver.key_line(), 2);
  EXPECT_EQ(silver.key_column(), 3);
  EXPECT_EQ(silver.key(), "silver");
  EXPECT_EQ(root.path(), "");
}

TEST(Yaml, ANodeOutlivesItsDocument) {
  Node kept;
  {
    Problems problems;
    kept = *parse("a: {b: 1}", problems).find("a");
  }
  EXPECT_EQ(kept.find("b")->path(), "a.b");
}

TEST(Yaml, ToJson) {
  struct Case {
    const char* yaml;
    const char* json;
  };
  for (const Case& c : {
           Case{"", "null"},
           Case{"# only a comment\n", "null"},
           Case{"a: 1\nb: [x, 2.5, true, ~, 'true', \"1\"]\n",
                R"({"a":1,"b":["x",2.5E0,true,null,"true","1"]})"},
           Case{"z: 1\na: 2\n", R"({"z":1,"a":2})"},
           Case{"yes: no\n", R"({"yes":"no"})"},
           Case{"a: |\n  two\n  lines\n", R"({"a":"two\nlines\n"})"},
           Case{"a: &x {b: 1}\nc: *x\n", R"({"a":{"b":1},"c":{"b":1}})"},
           Case{"base: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
                R"({"base":{"b":1,"c":2},"d":{"c":3,"b":1}})"},
           Case{"a: ${HOST}:80\n", R"({"a":"localhost:80"})"},
           Case{"a: ${NONE:-5}\n", R"({"a":5})"},
           Case{"a: '${EMPTY:-x}${EMPTY}'\n", R"({"a":"x"})"},
           Case{"a: $${HOST} $5 $\n", R"({"a":"${HOST} $5 $"})"},
       }) {
    EXPECT_EQ(json_of(c.yaml), c.json) << c.yaml;
  }
}

TEST(Yaml, ValuesOfVariablesAreNotShown) {
  Problems problems;
  const Node root = parse("a: '${HOST}'\nb: ${HOST}x\n", problems);
  EXPECT_EQ(to_text(root.to_written_json()), R"({"a":"${HOST}","b":"${HOST}x"})");
  EXPECT_EQ(describe(*root.find("a")), "'${HOST}'");
  EXPECT_EQ(root.find("a")->text(), "localhost");
}

TEST(Yaml, WhatIsRefused) {
  struct Case {
    const char* yaml;
    const char* problem;
  };
  for (const Case& c : {
           Case{"a: 1\nb: 2\na: 3\n",
                "x.yaml:3:1: a: the key stands twice in one map, first in line 1; remove one of "
                "them\n"},
           Case{"a: {b: [}\n", "x.yaml:1:9: not valid YAML: illegal flow end\n"},
           Case{"\xFF\xFE\x61", "x.yaml: the file is UTF-16; save it as UTF-8\n"},
           Case{"a: 1\n---\nb: 2\n",
                "x.yaml:2:1: a second document begins here; keep one document in a file\n"},
           Case{"a: ${UNSET}\n",
                "x.yaml:1:4: a: the environment variable UNSET is not set; set it, or write "
                "${UNSET:-otherwise} to give a default\n"},
           Case{"a: '${x y}'\n",
                "x.yaml:1:4: a: '${x y}' is not a variable; write ${NAME}, or $${ for a literal "
                "${\n"},
           Case{"a: ${HOST\n",
                "x.yaml:1:4: a: '${HOST' is not a variable; write ${NAME}, or $${ for a literal "
                "${\n"},
           Case{"? [a, b]\n: 1\n", "x.yaml:1:3: a key must be plain text, not a list or a map\n"},
           Case{"a: &x [*x]\n", "x.yaml:1:8: an alias stands inside its own anchor\n"},
           Case{"a:\n  <<: 5\n",
                "x.yaml:2:7: << merges a map into this one; write <<: *name of an anchored map\n"},
       }) {
    EXPECT_EQ(syntax_problems_of(c.yaml), c.problem) << c.yaml;
  }
}

TEST(Yaml, WhatItCostsIsBounded) {
  YamlLimits limits;
  limits.max_depth = 3;
  EXPECT_EQ(syntax_problems_of("a: [[1]]", limits), "");
  EXPECT_EQ(syntax_problems_of("a: [[[1]]]", limits), "x.yaml:1:6: nested deeper than 3 levels\n");
  limits.max_bytes = 10;
  EXPECT_EQ(syntax_problems_of("a: 12345678", limits),
            "x.yaml: the file has 11 bytes, more than the 10 a settings file may have\n");
}

TEST(Yaml, AliasesCannotBlowUp) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_NE(syntax_problems_of(laughs).find("more than 100000 values in one file"),
            std::string::npos);
  std::string copies = "a: &a " + std::string(2'000'000, 'x') + "\nb: [*a, *a, *a]\n";
  EXPECT_NE(syntax_problems_of(copies).find("aliases repeat more than"), std::string::npos);
}

TEST(Yaml, ManyLevelsEndInAProblem) {
  std::string lists;
  for (int i = 0; i < 50'000; ++i) lists += "- ";
  EXPECT_EQ(syntax_problems_of(lists + "x"), "x.yaml:1:129: nested deeper than 64 levels\n");
  EXPECT_NE(syntax_problems_of(std::string(100'000, '[')), "");
  EXPECT_NE(syntax_problems_of(std::string(100'000, '{')), "");
}

TEST(Yaml, BrokenValuesAreNotReportedTwice) {
  Problems problems;
  const Node root = parse("a: ${UNSET}\n", problems);
  EXPECT_TRUE(root.find("a")->is_broken());
  EXPECT_TRUE(parse("a: [", problems).is_broken());
}

}  // namespace
}  // namespace headrace::config
