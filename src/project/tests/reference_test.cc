#include "project/reference.h"

#include "project/tests/project_folder.h"

namespace headrace::project {
namespace {

std::string page(const std::string& path) {
  for (const ReferencePage& candidate : reference_pages(component_types())) {
    if (candidate.path == path) return candidate.content;
  }
  ADD_FAILURE() << "no page " << path;
  return "";
}

TEST(Reference, EveryFieldOfEveryComponentIsOnAPage) {
  EXPECT_NE(page("settings.md").find("| `server.query_timeout` | duration | `5m` |"),
            std::string::npos);
  EXPECT_NE(page("topics.md").find("| `retention.time` | text | `7d` |"), std::string::npos);
  EXPECT_NE(page("sources.md").find("## files"), std::string::npos);
  EXPECT_NE(page("sources.md").find("| `topic` | text | required |"), std::string::npos);
  EXPECT_NE(page("jobs.md").find("## filter"), std::string::npos);
  EXPECT_NE(page("jobs.md").find("| `where` | text | required |"), std::string::npos);
  EXPECT_NE(page("views.md").find("| `table` | text | required |"), std::string::npos);
}

TEST(Reference, TheSettingsExampleIsRightAndGivesTheDefaults) {
  const std::string text = page("settings.md");
  const size_t start = text.find("```yaml\n") + 8;
  config::Problems problems;
  const config::Document document =
      config::parse_yaml(text.substr(start, text.find("```", start) - start), "settings.md",
                         problems, config::no_environment());
  const Settings settings = Settings::fields().read(document.root(), problems);
  EXPECT_EQ(problems.to_text(), "");
  EXPECT_EQ(settings.name, "shop");
  EXPECT_EQ(Settings::fields().to_json(settings).as_object()["server"],
            ServerSettings::fields().to_json({}));
}

TEST(Reference, SchemasKnowTheFieldsOfEachType) {
  const Json job = parse_json(page("job.schema.json"), "the schema");
  const Json& node = member(member(member(job, "properties"), "nodes"), "additionalProperties");
  const JsonArray& kinds = member(node, "oneOf").get_array();
  ASSERT_EQ(kinds.size(), 3U);
  EXPECT_EQ(string_member(member(member(kinds[0], "properties"), "type"), "const"), "filter");
  const Json source = parse_json(page("source.schema.json"), "the schema");
  const Json& files = member(source, "oneOf").get_array().at(0);
  for (const char* field : {"name", "type", "topic", "path"}) {
    EXPECT_NE(find_member(member(files, "properties"), field), nullptr) << field;
  }
}

}  // namespace
}  // namespace headrace::project
