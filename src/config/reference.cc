// The reference table and the example of declared fields.

#include "base/format.h"
#include "config/field.h"
#include "config/value.h"

namespace headrace::config {

namespace {

// A cell of a Markdown table: bars would end it.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

bool is_empty_default(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) ||
         (value.is_object() && value.get_object().empty());
}

std::string bounds(const Field& field) {
  std::string text;
  if (!field.minimum.is_null()) text += "from " + to_text_value(field.minimum);
  if (!field.maximum.is_null()) {
    text += (text.empty() ? "up to " : " to ") + to_text_value(field.maximum);
  }
  return text;
}

std::string meaning(const Field& field) {
  std::string text = field.help;
  const auto append = [&](const std::string& more) {
    if (!more.empty()) text += (text.empty() || text.ends_with('.') ? " " : ". ") + more;
  };
  if (!field.unit.empty()) append("Unit: " + field.unit);
  if (const std::string range = bounds(field); !range.empty()) append("Range: " + range);
  for (const ChoiceName& choice : field.type.choices) {
    if (!choice.help.empty()) append(format("`{}`: {}", choice.name, choice.help));
  }
  if (!field.example.empty()) append("Example: " + code(field.example));
  return text;
}

// The struct inside a field, whether alone, in a list or in a map; the path that leads to it.
const FieldList* nested_fields(const Field& field, std::string& path) {
  const ValueType* type = &field.type;
  while (type->element != nullptr) {
    path += type->kind == ValueKind::kList ? "[]" : ".*";
    type = type->element.get();
  }
  return type->fields.get();
}

void append_rows(const FieldList& fields, const std::string& prefix, std::string& out) {
  for (const Field& field : fields.fields) {
    std::string path = prefix + field.name;
    std::string otherwise;
    if (field.required) {
      otherwise = "required";
    } else if (!is_empty_default(field.default_value)) {
      otherwise = code(to_text_value(field.default_value));
    }
    out += format("| `{}` | {} | {} | {} |\n", path, cell(field.type.to_text()), cell(otherwise),
                  cell(meaning(field)));
    if (const FieldList* nested = nested_fields(field, path)) append_rows(*nested, path + ".", out);
  }
}

// As YAML: text with other than plain characters goes into quotes.
std::string default_as_yaml(const Json& value) {
  const std::string text = to_text_value(value);
  const bool plain = text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_./") == std::string::npos;
  return plain || !value.is_string() ? text : to_text(value);
}

std::string example_value(const Field& field) {
  if (!field.example.empty()) return field.example;
  if (!is_empty_default(field.default_value)) return default_as_yaml(field.default_value);
  switch (field.type.kind) {
    case ValueKind::kList:
      return "[]";
    case ValueKind::kMap:
      return "{}";
    case ValueKind::kText:
    case ValueKind::kSecret:
      return "\"\"";
    case ValueKind::kChoice:
      return field.type.choices.empty() ? "" : field.type.choices.front().name;
    default:
      return "";
  }
}

}  // namespace

std::string reference_table(const FieldList& fields) {
  std::string out = "| Field | Type | Default | Meaning |\n|---|---|---|---|\n";
  append_rows(fields, "", out);
  for (const FieldGroup& group : fields.groups) {
    out += format("\nNeeds {}.\n", group.to_text());
  }
  return out;
}

std::string example_yaml(const FieldList& fields, int indentation) {
  const std::string margin(static_cast<size_t>(indentation), ' ');
  std::string out;
  for (const Field& field : fields.fields) {
    if (!field.help.empty()) out += format("{}# {}\n", margin, field.help);
    if (field.type.kind == ValueKind::kStruct) {
      out += format("{}{}:\n{}", margin, field.name,
                    example_yaml(*field.type.fields, indentation + 2));
      continue;
    }
    const std::string value = example_value(field);
    out += format("{}{}{}:{}{}\n", margin, field.required ? "" : "# ", field.name,
                  value.empty() ? "" : " ", value);
  }
  return out;
}

}  // namespace headrace::config
