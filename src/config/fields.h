#pragma once

// A struct's settings, declared once: parsing, checking, defaults, reference page, JSON Schema and
// example all come from here.
//
//   struct FilterOptions {
//     std::string where;
//     std::optional<std::string> reason;
//     int64_t batch_rows = 50000;         // the default is the member's own
//   };
//   config::Fields<FilterOptions> fields() {
//     return config::Fields<FilterOptions>()
//         .required("where", &FilterOptions::where, "SQL condition that a row must meet",
//                   config::example("amount > 0"))
//         .optional("reason", &FilterOptions::reason, "what a rejected row's dead letter says")
//         .optional("batch_rows", &FilterOptions::batch_rows, "rows taken at once",
//                   config::unit("rows"), config::at_least(1), config::at_most(1'000'000));
//   }
//   config::Problems problems;
//   config::Document document = config::parse_yaml(text, "jobs/orders.yaml", problems);
//   FilterOptions options = fields().read(document.root(), problems);
//   problems.throw_if_errors("reading jobs/orders.yaml");
//
// Reading is pure: no I/O, no exceptions for wrong settings; whatever is wrong becomes a problem,
// and the member keeps its default. Member types: see value.h. Thread use: const methods, any.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/field.h"
#include "config/value.h"
#include "config/yaml.h"

namespace headrace::config {

// --- attributes of a field -------------------------------------------------------------------

// What an attribute may change: the description, and the checks of a value (which give a complaint
// or an empty text).
template <class V>
struct FieldSetup {
  Field& field;
  std::vector<std::function<std::string(const V&)>>& checks;
};

// As it would stand in the file, after `name: `.
inline auto example(std::string yaml) {
  return [yaml = std::move(yaml)](auto setup) { setup.field.example = yaml; };
}

// What a number counts.
inline auto unit(std::string name) {
  return [name = std::move(name)](auto setup) { setup.field.unit = name; };
}

// Bounds, both included, of numbers, durations (std::chrono) and sizes (Bytes).
template <class B>
auto at_least(B bound) {
  return [bound]<class V>(FieldSetup<V> setup) {
    const V minimum = static_cast<V>(bound);
    setup.field.minimum = Value<V>::to_json(minimum);
    setup.checks.push_back([minimum](const V& value) -> std::string {
      if (value >= minimum) return "";
      return "must be at least " + to_text_value(Value<V>::to_json(minimum));
    });
  };
}
template <class B>
auto at_most(B bound) {
  return [bound]<class V>(FieldSetup<V> setup) {
    const V maximum = static_cast<V>(bound);
    setup.field.maximum = Value<V>::to_json(maximum);
    setup.checks.push_back([maximum](const V& value) -> std::string {
      if (value <= maximum) return "";
      return "must be at most " + to_text_value(Value<V>::to_json(maximum));
    });
  };
}

// Text, lists and maps: there must be something in it.
inline auto not_empty() {
  return []<class V>(FieldSetup<V> setup) {
    setup.field.not_empty = true;
    setup.checks.push_back(
        [](const V& value) -> std::string { return value.empty() ? "must not be empty" : ""; });
  };
}

// `test` takes the value and gives what is wrong with it, empty when nothing is.
template <class Test>
auto check(Test test) {
  return [test]<class V>(FieldSetup<V> setup) { setup.checks.push_back(test); };
}

// --- the declaration -------------------------------------------------------------------------

template <class T>
class Fields {
 public:
  template <class V, class Base, class... Attributes>
  Fields& required(std::string name, V Base::* member, std::string help,
                   const Attributes&... attributes) {
    add(std::move(name), member, std::move(help), true, attributes...);
    return *this;
  }

  // A std::optional member stays empty when the field is not there; another keeps its default.
  template <class V, class Base, class... Attributes>
  Fields& optional(std::string name, V Base::* member, std::string help,
                   const Attributes&... attributes) {
    add(std::move(name), member, std::move(help), false, attributes...);
    return *this;
  }

  // What must hold between fields.
  Fields& exactly_one_of(std::vector<std::string> names) {
    return group(FieldGroup::Rule::kExactlyOne, std::move(names));
  }
  Fields& at_most_one_of(std::vector<std::string> names) {
    return group(FieldGroup::Rule::kAtMostOne, std::move(names));
  }
  Fields& at_least_one_of(std::vector<std::string> names) {
    return group(FieldGroup::Rule::kAtLeastOne, std::move(names));
  }
  Fields& all_or_none_of(std::vector<std::string> names) {
    return group(FieldGroup::Rule::kAllOrNone, std::move(names));
  }

  // Called with (value, node, problems) when everything else was right.
  Fields& check(std::function<void(const T&, const Node&, Problems&)> test) {
    checks_.push_back(std::move(test));
    return *this;
  }

  // Fields of the same map that somebody else reads: the `type` and `input` of a component.
  Fields& read_elsewhere(std::vector<std::string> names) {
    for (std::string& name : names) list_.read_elsewhere.push_back(std::move(name));
    return *this;
  }
  // Say nothing about unknown fields: somebody else does.
  Fields& other_fields_allowed() {
    list_.other_fields_allowed = true;
    return *this;
  }

  T read(const Node& node, Problems& problems) const {
    T value{};
    read_into(node, value, problems);
    return value;
  }

  // Keeps what `value` holds for fields that are not there.
  void read_into(const Node& node, T& value, Problems& problems) const {
    const size_t before = problems.error_count();
    if (!check_shape(list_, node, problems)) return;
    for (const Member& member : members_) {
      const std::optional<Node> found = node.find(member.name);
      if (found && !found->is_null()) member.read(*found, value, problems);
    }
    if (problems.error_count() != before) return;
    for (const auto& test : checks_) test(value, node, problems);
  }

  // All fields with their values; secrets as ***.
  Json to_json(const T& value) const {
    JsonObject object;
    for (const Member& member : members_) object[member.name] = member.to_json(value);
    return object;
  }

  const FieldList& list() const { return list_; }
  Json json_schema(const std::string& title) const { return config::json_schema(list_, title); }
  std::string markdown() const { return reference_table(list_); }
  std::string example_yaml() const { return config::example_yaml(list_); }

 private:
  struct Member {
    std::string name;
    std::function<void(const Node&, T&, Problems&)> read;
    std::function<Json(const T&)> to_json;
  };

  template <class V>
  struct Inner {
    using Type = V;
  };
  template <class V>
  struct Inner<std::optional<V>> {
    using Type = V;
  };

  template <class V>
  static Json member_json(const V& value) {
    return Value<V>::to_json(value);
  }
  template <class V>
  static Json member_json(const std::optional<V>& value) {
    return value ? Value<V>::to_json(*value) : Json(nullptr);
  }

  template <class V>
  static V starting_value(const V& held) {
    return held;
  }
  template <class V>
  static V starting_value(const std::optional<V>& held) {
    return held.value_or(V{});
  }

  template <class V, class Base, class... Attributes>
  void add(std::string name, V Base::* member, std::string help, bool is_required,
           const Attributes&... attributes) {
    static_assert(std::is_base_of_v<Base, T>);
    using Read = typename Inner<V>::Type;
    Field field;
    field.name = name;
    field.type = Value<Read>::type();
    field.required = is_required;
    field.help = std::move(help);
    if (!is_required && field.type.kind != ValueKind::kStruct) {
      field.default_value = member_json(T{}.*member);
    }
    std::vector<std::function<std::string(const Read&)>> tests;
    (attributes(FieldSetup<Read>{field, tests}), ...);
    list_.fields.push_back(std::move(field));
    members_.push_back({std::move(name), reader<Read>(member, std::move(tests)),
                        [member](const T& value) { return member_json(value.*member); }});
  }

  template <class Read, class V, class Base>
  static auto reader(V Base::* member, std::vector<std::function<std::string(const Read&)>> tests) {
    return [member, tests = std::move(tests)](const Node& node, T& into, Problems& problems) {
      Read value = starting_value(into.*member);
      if (!Value<Read>::read(node, value, problems)) return;
      for (const auto& test : tests) {
        const std::string complaint = test(value);
        if (complaint.empty()) continue;
        problems.add(node, complaint);
        return;
      }
      into.*member = std::move(value);
    };
  }

  Fields& group(FieldGroup::Rule rule, std::vector<std::string> names) {
    list_.groups.push_back({rule, std::move(names)});
    return *this;
  }

  FieldList list_;
  std::vector<Member> members_;
  std::vector<std::function<void(const T&, const Node&, Problems&)>> checks_;
};

}  // namespace headrace::config
