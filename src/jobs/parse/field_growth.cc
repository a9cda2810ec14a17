#include "jobs/parse/field_growth.h"

#include <algorithm>
#include <functional>

#include "base/format.h"
#include "base/text.h"
#include "jobs/node_type.h"

namespace headrace::jobs::parse {
namespace {

using lake::TypeKind;

bool accepts(TypeKind type, ValueKind value) {
  using enum ValueKind;
  switch (type) {
    case TypeKind::kString:
      return true;
    case TypeKind::kBoolean:
      return value == kBoolean;
    case TypeKind::kInt:
    case TypeKind::kLong:
      return value == kInteger || value == kLarge;
    case TypeKind::kDecimal:
      return value == kInteger || value == kLarge || value == kHuge || value == kDouble;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return value == kInteger || value == kDouble;
    case TypeKind::kDate:
      return value == kDate;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return value == kDate || value == kTimestamp || value == kTimestamptz;
    case TypeKind::kTime:
    case TypeKind::kUuid:
      return value == kText;
    default:
      return false;
  }
}

int64_t leaves(const lake::Type& type) {
  if (!type.is_nested()) return 1;
  int64_t count = 0;
  for (const lake::Field& field : type.fields) count += leaves(field.type);
  return count;
}

// Where columns stand beside each other: the record's own, or the members of a struct.
class Columns {
 public:
  virtual ~Columns() = default;
  virtual lake::Type* find(const std::string& name) = 0;
  // Nullptr when there is a column whose name SQL could not tell from this.
  virtual lake::Type* add(const std::string& name, lake::Type type) = 0;
};

class Members final : public Columns {
 public:
  explicit Members(std::vector<lake::Field>& fields) : fields_(fields) {}

  lake::Type* find(const std::string& name) override {
    for (lake::Field& field : fields_) {
      if (field.name == name) return &field.type;
    }
    return nullptr;
  }

  lake::Type* add(const std::string& name, lake::Type type) override {
    const bool is_taken =
        name.empty() || std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) {
          return equal_ignoring_case(field.name, name);
        });
    if (is_taken) return nullptr;
    fields_.push_back({0, name, std::move(type), false, ""});
    return &fields_.back().type;
  }

 private:
  std::vector<lake::Field>& fields_;
};

class Growth {
 public:
  Growth(const Inference& inference, int64_t room) : inference_(inference), room_(room) {}

  bool has_grown() const { return has_grown_; }

  // A field that is not there yet; nothing happens while its type is not known.
  lake::Type* add(Columns& columns, const std::string& name, const FoundType& found) {
    auto type = type_of(found);
    if (!type) return nullptr;
    const int64_t needed = leaves(*type);
    is_full_ = needed > room_;
    if (is_full_) return nullptr;
    lake::Type* added = columns.add(name, std::move(*type));
    if (added == nullptr) return nullptr;
    room_ -= needed;
    has_grown_ = true;
    return added;
  }

  void take(Columns& columns, const std::string& name, lake::Type& type, const FoundType& found) {
    const FoundType rest = rest_of(type, found);
    if (rest.kinds.empty() && !rest.has_objects() && !rest.has_lists()) return;
    switch (inference_.on_conflict) {
      case OnConflict::kCast:
      case OnConflict::kReject:
        return;
      case OnConflict::kSplit:
        split(columns, name, rest);
        return;
      case OnConflict::kText:
        add_text(columns, name);
        return;
    }
  }

 private:
  // What a column does not hold, after it has grown as far as its own type can.
  FoundType rest_of(lake::Type& type, const FoundType& found) {
    FoundType rest;
    for (const ValueKind kind : found.kinds) {
      if (!accepts(type.kind, kind)) rest.kinds.insert(kind);
    }
    if (type.kind == TypeKind::kString) return rest;
    const auto takes_members = [&] {
      return type.kind == TypeKind::kStruct && take_members(type, found);
    };
    const auto takes_elements = [&] {
      return type.kind == TypeKind::kList && take_elements(type, found.element.front());
    };
    if (found.has_objects() && !takes_members()) {
      rest.is_object = true;
      rest.members = found.members;
    }
    if (found.has_lists() && !takes_elements()) {
      rest.element = found.element;
    }
    return rest;
  }

  // False: there are members that no struct can have beside those that it has.
  bool take_members(lake::Type& type, const FoundType& found) {
    bool has_room = true;
    for (const auto& [name, member] : found.members) {
      Members members(type.fields);
      if (lake::Type* known = members.find(name)) {
        take(members, name, *known, member);
      } else if (type_of(member) && add(members, name, member) == nullptr) {
        has_room = has_room && is_full_;
      }
    }
    return has_room;
  }

  bool take_elements(lake::Type& type, const FoundType& element) {
    const FoundType rest = rest_of(type.fields.front().type, element);
    return rest.kinds.empty() && !rest.has_objects() && !rest.has_lists();
  }

  // One more column for each kind of value, named after it.
  void split(Columns& columns, const std::string& name, const FoundType& rest) {
    bool has_text = false;
    for (const ValueKind kind : rest.kinds) {
      const TypeKind type = split_type(kind);
      if (type == TypeKind::kString) {
        has_text = true;
        continue;
      }
      FoundType only;
      only.kinds.insert(kind);
      add_beside(columns, name, type, only);
    }
    if (rest.has_objects()) {
      FoundType only;
      only.is_object = true;
      only.members = rest.members;
      has_text = !add_beside(columns, name, TypeKind::kStruct, only) || has_text;
    }
    if (rest.has_lists()) {
      // Its elements are text, so that it holds whatever comes.
      FoundType only;
      only.element.emplace_back().kinds.insert(ValueKind::kText);
      add_beside(columns, name, TypeKind::kList, only);
    }
    if (has_text) add_text(columns, name);
  }

  bool add_beside(Columns& columns, const std::string& name, TypeKind kind,
                  const FoundType& found) {
    const std::string beside = split_name(name, kind);
    if (lake::Type* known = columns.find(beside)) {
      if (known->kind == TypeKind::kStruct && found.has_objects()) {
        return take_members(*known, found);
      }
      return true;
    }
    const auto type = type_of(found);
    if (type && type->kind != kind) return false;  // an object that can be no struct
    return !type || add(columns, beside, found) != nullptr;
  }

  // One column for all of them, as text.
  void add_text(Columns& columns, const std::string& name) {
    FoundType only;
    only.kinds.insert(ValueKind::kText);
    add_beside(columns, name, TypeKind::kString, only);
  }

  const Inference& inference_;
  int64_t room_;
  bool is_full_ = false;  // at the last add()
  bool has_grown_ = false;
};

// The columns of a node's records. A field whose name cannot be a column's gets another.
class RecordColumns final : public Columns {
 public:
  explicit RecordColumns(std::vector<ParseField>& fields) {
    for (const ParseField& field : fields) {
      columns_.push_back({field, field.is_inferred ? lake::type_from_duckdb(field.type)
                                                   : lake::simple_type(TypeKind::kString)});
    }
  }

  std::vector<ParseField> fields() const {
    std::vector<ParseField> fields;
    for (const Column& column : columns_) {
      fields.push_back(column.field);
      if (column.field.is_inferred) fields.back().type = lake::to_duckdb(column.type);
    }
    return fields;
  }

  struct Column {
    ParseField field;
    lake::Type type;
  };
  Column* with_key(const std::string& key) {
    for (Column& column : columns_) {
      if (column.field.path.empty() && column.field.key() == key) return &column;
    }
    return nullptr;
  }

  lake::Type* find(const std::string& name) override {
    for (Column& column : columns_) {
      if (column.field.name == name || column.field.key() == name) return &column.type;
    }
    return nullptr;
  }

  lake::Type* add(const std::string& name, lake::Type type) override {
    ParseField field;
    field.name = free_name(name);
    if (field.name != name) field.member = name;
    field.is_inferred = true;
    columns_.push_back({std::move(field), std::move(type)});
    return &columns_.back().type;
  }

 private:
  std::string free_name(const std::string& key) const {
    const auto is_taken = [&](const std::string& name) {
      const auto is_same = [&](const auto& other) { return equal_ignoring_case(other, name); };
      return std::any_of(std::begin(kLineageColumns), std::end(kLineageColumns), is_same) ||
             equal_ignoring_case(tables::kDeletedColumn, name) ||
             std::any_of(columns_.begin(), columns_.end(),
                         [&](const Column& column) { return is_same(column.field.name); });
    };
    const std::string base = key.empty() ? "unnamed" : key;
    std::string name = base;
    for (int number = 2; is_taken(name); ++number) name = format("{}_{}", base, number);
    return name;
  }

  std::vector<Column> columns_;
};

}  // namespace

TypeKind split_type(ValueKind kind) {
  using enum ValueKind;
  switch (kind) {
    case kBoolean:
      return TypeKind::kBoolean;
    case kInteger:
    case kLarge:
      return TypeKind::kLong;
    case kHuge:
      return TypeKind::kDecimal;
    case kDouble:
      return TypeKind::kDouble;
    default:
      return TypeKind::kString;
  }
}

std::string split_name(std::string_view name, TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return format("{}__boolean", name);
    case TypeKind::kLong:
      return format("{}__bigint", name);
    case TypeKind::kDecimal:
      return format("{}__decimal", name);
    case TypeKind::kDouble:
      return format("{}__double", name);
    case TypeKind::kStruct:
      return format("{}__struct", name);
    case TypeKind::kList:
      return format("{}__list", name);
    default:
      return format("{}__varchar", name);
  }
}

bool grow(std::vector<ParseField>& fields, const FoundType& found, const Inference& inference) {
  RecordColumns columns(fields);
  int64_t room = inference.max_columns;
  for (const ParseField& field : fields) {
    room -= field.is_inferred ? leaves(lake::type_from_duckdb(field.type)) : 1;
  }
  Growth growth(inference, room);
  for (const auto& [key, member] : found.members) {
    if (inference.ignore.contains(key)) continue;
    RecordColumns::Column* known = columns.with_key(key);
    if (known == nullptr) {
      growth.add(columns, key, member);
    } else if (known->field.is_inferred) {
      // A copy: columns that come beside it may move it.
      lake::Type type = known->type;
      const std::string name = known->field.name;
      growth.take(columns, name, type, member);
      columns.with_key(key)->type = std::move(type);
    }
  }
  if (growth.has_grown()) fields = columns.fields();
  return growth.has_grown();
}

}  // namespace headrace::jobs::parse
