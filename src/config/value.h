#pragma once

// How a C++ type is read from a Node, described and shown: Value<V> for every type a field may
// have. A struct takes part by a static member `fields()`, an enum by a function found beside it:
//
//   struct Retention {
//     std::chrono::milliseconds time = std::chrono::days(7);
//     static config::Fields<Retention> fields();
//   };
//   enum class Mode { kOnce, kWatch };
//   inline config::Choices<Mode> choices_of(Mode) {
//     return {{"once", Mode::kOnce, "read what is there and end"}, {"watch", Mode::kWatch}};
//   }

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/format.h"
#include "config/field.h"
#include "config/scalar.h"
#include "config/secret.h"

namespace headrace::config {

template <class E>
struct Choice {
  std::string name;
  E value;
  std::string help = "";
};
template <class E>
using Choices = std::vector<Choice<E>>;

// An entry of a map whose keys the user chooses. Entries keep the order of the file; `node` tells
// where the value stands.
template <class V>
struct Named {
  std::string name;
  V value{};
  Node node;
};
template <class V>
using OrderedMap = std::vector<Named<V>>;

template <class V>
concept HasFields = requires { V::fields(); };
template <class V>
concept HasChoices = std::is_enum_v<V> && requires(V value) { choices_of(value); };
template <class V>
concept WholeNumber = std::integral<V> && !std::same_as<V, bool> && !std::same_as<V, char>;

// Has type(), read() and to_json() for each type below. read() leaves `into` as it is and returns
// false when it has reported a problem.
template <class V>
struct Value;

bool read_boolean(const Node& node, bool& into, Problems& problems);
bool read_integer(const Node& node, int64_t minimum, int64_t maximum, int64_t& into,
                  Problems& problems);
bool read_number(const Node& node, double& into, Problems& problems);
bool read_text(const Node& node, std::string& into, Problems& problems);
bool read_character(const Node& node, char& into, Problems& problems);
bool read_duration(const Node& node, std::chrono::milliseconds& into, Problems& problems);
bool read_bytes(const Node& node, Bytes& into, Problems& problems);
// True when its elements can be read; otherwise it has reported why not.
bool expect_list(const Node& node, const std::string& wanted, Problems& problems);
bool expect_map(const Node& node, const std::string& wanted, Problems& problems);

template <>
struct Value<bool> {
  static ValueType type() { return {ValueKind::kBoolean, {}, {}, {}}; }
  static bool read(const Node& node, bool& into, Problems& problems) {
    return read_boolean(node, into, problems);
  }
  static Json to_json(bool value) { return value; }
};

template <WholeNumber V>
struct Value<V> {
  static ValueType type() { return {ValueKind::kInteger, {}, {}, {}}; }
  static bool read(const Node& node, V& into, Problems& problems) {
    using Limits = std::numeric_limits<V>;
    constexpr int64_t kMaximum = std::in_range<int64_t>(Limits::max())
                                     ? static_cast<int64_t>(Limits::max())
                                     : std::numeric_limits<int64_t>::max();
    int64_t wide = 0;
    if (!read_integer(node, static_cast<int64_t>(Limits::min()), kMaximum, wide, problems)) {
      return false;
    }
    into = static_cast<V>(wide);
    return true;
  }
  static Json to_json(V value) { return value; }
};

template <std::floating_point V>
struct Value<V> {
  static ValueType type() { return {ValueKind::kNumber, {}, {}, {}}; }
  static bool read(const Node& node, V& into, Problems& problems) {
    double wide = 0;
    if (!read_number(node, wide, problems)) return false;
    into = static_cast<V>(wide);
    return true;
  }
  static Json to_json(V value) { return value; }
};

template <>
struct Value<std::string> {
  static ValueType type() { return {ValueKind::kText, {}, {}, {}}; }
  static bool read(const Node& node, std::string& into, Problems& problems) {
    return read_text(node, into, problems);
  }
  static Json to_json(const std::string& value) { return Json(value); }
};

// One character, as the delimiter of CSV.
template <>
struct Value<char> {
  static ValueType type() { return {ValueKind::kText, {}, {}, {}}; }
  static bool read(const Node& node, char& into, Problems& problems) {
    return read_character(node, into, problems);
  }
  static Json to_json(char value) { return Json(std::string(1, value)); }
};

template <>
struct Value<Secret> {
  static ValueType type() { return {ValueKind::kSecret, {}, {}, {}}; }
  static bool read(const Node& node, Secret& into, Problems& problems) {
    std::string text;
    if (!read_text(node, text, problems)) return false;
    into = Secret(std::move(text));
    return true;
  }
  static Json to_json(const Secret& value) { return Json(to_text(value)); }
};

template <>
struct Value<std::chrono::milliseconds> {
  static ValueType type() { return {ValueKind::kDuration, {}, {}, {}}; }
  static bool read(const Node& node, std::chrono::milliseconds& into, Problems& problems) {
    return read_duration(node, into, problems);
  }
  static Json to_json(std::chrono::milliseconds value) { return Json(to_text(value)); }
};

template <>
struct Value<Bytes> {
  static ValueType type() { return {ValueKind::kBytes, {}, {}, {}}; }
  static bool read(const Node& node, Bytes& into, Problems& problems) {
    return read_bytes(node, into, problems);
  }
  static Json to_json(Bytes value) { return Json(to_text(value)); }
};

// Kept as it is, for whoever reads it later.
template <>
struct Value<Node> {
  static ValueType type() { return {}; }
  static bool read(const Node& node, Node& into, Problems&) {
    into = node;
    return true;
  }
  static Json to_json(const Node& value) { return value.to_written_json(); }
};

template <HasChoices E>
struct Value<E> {
  static ValueType type() { return {ValueKind::kChoice, names(), {}, {}}; }
  static bool read(const Node& node, E& into, Problems& problems) {
    if (node.is_broken()) return false;
    for (const Choice<E>& choice : choices_of(E{})) {
      if (node.is_scalar() && node.text() == choice.name) {
        into = choice.value;
        return true;
      }
    }
    report_choice(node, names(), problems);
    return false;
  }
  static Json to_json(E value) {
    for (const Choice<E>& choice : choices_of(value)) {
      if (choice.value == value) return Json(choice.name);
    }
    return nullptr;
  }

 private:
  static std::vector<ChoiceName> names() {
    std::vector<ChoiceName> list;
    for (const Choice<E>& choice : choices_of(E{})) list.push_back({choice.name, choice.help});
    return list;
  }
};

template <HasFields S>
struct Value<S> {
  static ValueType type() {
    return {ValueKind::kStruct, {}, {}, std::make_shared<FieldList>(S::fields().list())};
  }
  static bool read(const Node& node, S& into, Problems& problems) {
    const size_t before = problems.error_count();
    S::fields().read_into(node, into, problems);
    return problems.error_count() == before;
  }
  static Json to_json(const S& value) { return S::fields().to_json(value); }
};

template <class V>
struct Value<std::vector<V>> {
  static ValueType type() {
    return {ValueKind::kList, {}, std::make_shared<ValueType>(Value<V>::type()), {}};
  }
  static bool read(const Node& node, std::vector<V>& into, Problems& problems) {
    if (!expect_list(node, type().to_text(), problems)) return false;
    std::vector<V> list;
    bool whole = true;
    for (const Node& element : node.elements()) {
      V value{};
      whole = Value<V>::read(element, value, problems) && whole;
      list.push_back(std::move(value));
    }
    if (whole) into = std::move(list);
    return whole;
  }
  static Json to_json(const std::vector<V>& value) {
    JsonArray list;
    for (const V& element : value) list.push_back(Value<V>::to_json(element));
    return list;
  }
};

template <class V>
struct Value<std::vector<Named<V>>> {
  static ValueType type() {
    return {ValueKind::kMap, {}, std::make_shared<ValueType>(Value<V>::type()), {}};
  }
  static bool read(const Node& node, OrderedMap<V>& into, Problems& problems) {
    if (!expect_map(node, type().to_text(), problems)) return false;
    OrderedMap<V> map;
    bool whole = true;
    for (const auto& [name, child] : node.entries()) {
      Named<V> entry{name, V{}, child};
      whole = Value<V>::read(child, entry.value, problems) && whole;
      map.push_back(std::move(entry));
    }
    if (whole) into = std::move(map);
    return whole;
  }
  static Json to_json(const OrderedMap<V>& value) {
    JsonObject map;
    for (const Named<V>& entry : value) map[entry.name] = Value<V>::to_json(entry.value);
    return map;
  }
};

}  // namespace headrace::config
