#include "config/field.h"

#include <algorithm>

#include "base/format.h"
#include "config/suggestion.h"

namespace headrace::config {

namespace {

std::string quoted_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

bool is_set(const Node& node, const std::string& name) {
  const auto found = node.find(name);
  return found && !found->is_null();
}

// Reports unknown fields; gives the declared names that they were probably meant to be.
std::vector<std::string> check_unknown(const FieldList& fields, const Node& node,
                                       Problems& problems) {
  std::vector<std::string> meant;
  if (fields.other_fields_allowed) return meant;
  const std::vector<std::string> known = fields.names();
  std::vector<std::string> free;
  for (const std::string& name : known) {
    if (!node.find(name)) free.push_back(name);
  }
  for (const auto& [key, child] : node.entries()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest(key, free);
    if (!near.empty()) meant.push_back(near);
    problems.add_at_key(
        child, "unknown field",
        near.empty() ? suggest(key, known, 20) : format("did you mean '{}'?", near));
  }
  return meant;
}

void check_required(const FieldList& fields, const Node& node,
                    const std::vector<std::string>& misspelt, Problems& problems) {
  for (const Field& field : fields.fields) {
    if (!field.required || is_set(node, field.name)) continue;
    if (std::find(misspelt.begin(), misspelt.end(), field.name) != misspelt.end()) continue;
    const std::string shown = field.example.empty()
                                  ? field.help
                                  : format("for example {}: {}", field.name, field.example);
    const auto present = node.find(field.name);
    if (present) {
      problems.add_at_key(*present, "has no value", shown);
    } else {
      problems.add_at_key(node, format("the field '{}' is missing", field.name), shown);
    }
  }
}

void check_group(const FieldGroup& group, const Node& node, Problems& problems) {
  std::vector<std::string> set;
  for (const std::string& name : group.names) {
    if (is_set(node, name)) set.push_back(name);
  }
  using Rule = FieldGroup::Rule;
  const bool needs_one = group.rule == Rule::kExactlyOne || group.rule == Rule::kAtLeastOne;
  const bool bears_one = group.rule == Rule::kExactlyOne || group.rule == Rule::kAtMostOne;
  const bool broken = group.rule == Rule::kAllOrNone
                          ? !set.empty() && set.size() != group.names.size()
                          : (needs_one && set.empty()) || (bears_one && set.size() > 1);
  if (!broken) return;
  problems.add_at_key(node, format("needs {}", group.to_text()),
                      set.empty() ? "" : format("found {}", quoted_names(set)));
}

}  // namespace

std::string ValueType::to_text() const {
  switch (kind) {
    case ValueKind::kBoolean:
      return "true or false";
    case ValueKind::kInteger:
      return "whole number";
    case ValueKind::kNumber:
      return "number";
    case ValueKind::kText:
      return "text";
    case ValueKind::kSecret:
      return "secret text";
    case ValueKind::kChoice: {
      std::vector<std::string> names;
      for (const ChoiceName& choice : choices) names.push_back(choice.name);
      return format("one of {}", join(names, ", "));
    }
    case ValueKind::kDuration:
      return "duration";
    case ValueKind::kBytes:
      return "size";
    case ValueKind::kList:
      return "list of " + element->to_text();
    case ValueKind::kMap:
      return "map of name to " + element->to_text();
    case ValueKind::kStruct:
      return "map";
    case ValueKind::kAny:
      return "any value";
  }
  return "";
}

std::string FieldGroup::to_text() const {
  switch (rule) {
    case Rule::kExactlyOne:
      return "exactly one of " + quoted_names(names);
    case Rule::kAtMostOne:
      return "at most one of " + quoted_names(names);
    case Rule::kAtLeastOne:
      return "at least one of " + quoted_names(names);
    case Rule::kAllOrNone:
      return "all or none of " + quoted_names(names);
  }
  return "";
}

const Field* FieldList::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string> FieldList::names() const {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  names.insert(names.end(), read_elsewhere.begin(), read_elsewhere.end());
  return names;
}

bool check_shape(const FieldList& fields, const Node& node, Problems& problems) {
  if (node.is_broken()) return false;
  if (!node.is_map() && !node.is_null()) {
    report_type(node, "a map of fields", problems);
    return false;
  }
  const auto misspelt = check_unknown(fields, node, problems);
  check_required(fields, node, misspelt, problems);
  for (const FieldGroup& group : fields.groups) check_group(group, node, problems);
  return true;
}

void report_type(const Node& node, const std::string& wanted, Problems& problems,
                 std::string suggestion) {
  problems.add(node, format("wants {}, found {}", wanted, describe(node)), std::move(suggestion));
}

std::string to_text_value(const Json& value) {
  if (value.is_double()) return format("{}", value.get_double());
  return value.is_string() ? std::string(value.get_string()) : headrace::to_text(value);
}

void report_choice(const Node& node, const std::vector<ChoiceName>& choices, Problems& problems) {
  std::vector<std::string> names;
  for (const ChoiceName& choice : choices) names.push_back(choice.name);
  const std::string meant = node.is_scalar() ? nearest(node.text(), names) : "";
  problems.add(node, format("wants one of {}, found {}", join(names, ", "), describe(node)),
               meant.empty() ? "" : format("did you mean '{}'?", meant));
}

}  // namespace headrace::config
