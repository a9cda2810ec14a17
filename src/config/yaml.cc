#include "config/yaml.h"

#include <algorithm>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/format.h"
#include "config/tree_builder.h"

namespace headrace::config {

namespace {

Place place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Passes the library's events on to the builder, in our own types.
class EventsToTree final : public YAML::EventHandler {
 public:
  explicit EventsToTree(TreeBuilder& builder) : builder_(builder) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.null_value(place_of(mark), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.alias(place_of(mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    builder_.scalar(place_of(mark), anchor, value, tag == "!");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    builder_.begin(NodeKind::kList, place_of(mark), anchor);
  }
  void OnSequenceEnd() override { builder_.end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    builder_.begin(NodeKind::kMap, place_of(mark), anchor);
  }
  void OnMapEnd() override { builder_.end(); }

 private:
  TreeBuilder& builder_;
};

// Sees that there is no second document.
class RefuseDocument final : public YAML::EventHandler {
 public:
  explicit RefuseDocument(TreeBuilder& builder) : builder_(builder) {}
  void OnDocumentStart(const YAML::Mark& mark) override {
    builder_.stop(place_of(mark), "a second document begins here", "keep one document in a file");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  TreeBuilder& builder_;
};

void feed(std::string_view text, TreeBuilder& builder) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  EventsToTree events(builder);
  if (!parser.HandleNextDocument(events)) return;
  RefuseDocument refuse(builder);
  parser.HandleNextDocument(refuse);
}

// What most often makes a file of settings no YAML, and what yaml-cpp does not name.
std::string hint_of(std::string_view text, int line) {
  for (int number = 1; number < line && !text.empty(); ++number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  const std::string_view indentation = text.substr(0, text.find_first_not_of(" \t"));
  return indentation.find('\t') == std::string_view::npos
             ? ""
             : "this line is indented by a tab: YAML takes spaces alone";
}

}  // namespace

Document parse_yaml(std::string_view text, const std::string& file, Problems& problems,
                    const Environment& environment, const YamlLimits& limits) {
  TreeBuilder builder(file, problems, environment, limits);
  if (text.size() > limits.max_bytes) {
    problems.add(file, format("the file has {} bytes, more than the {} a settings file may have",
                              text.size(), limits.max_bytes));
    return Document(builder.broken());
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    problems.add(file, "the file is UTF-16", "save it as UTF-8");
    return Document(builder.broken());
  }
  try {
    feed(text, builder);
    return Document(builder.finish());
  } catch (const StopParsing&) {
    return Document(builder.broken());
  } catch (const YAML::Exception& error) {
    const Place place = place_of(error.mark);
    problems.add(Problem{Severity::kError, file, "", place.line, place.column,
                         "not valid YAML: " + error.msg, hint_of(text, place.line)});
    return Document(builder.broken());
  }
}

}  // namespace headrace::config
