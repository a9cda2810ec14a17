#include "query/system_tables.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "engine/functions.h"

namespace headrace::query {
namespace {

using Rows = std::shared_ptr<const std::vector<SystemRow>>;

void write(const SystemValue& value, engine::MutableVector& vector, size_t row) {
  struct Write {
    engine::MutableVector& vector;
    size_t row;
    void operator()(std::monostate) { vector.set_null(row); }
    void operator()(bool value) { vector.data<bool>()[row] = value; }
    void operator()(int64_t value) { vector.data<int64_t>()[row] = value; }
    void operator()(double value) { vector.data<double>()[row] = value; }
    void operator()(const std::string& value) { vector.set_string(row, value); }
    void operator()(Timestamp value) { vector.data<int64_t>()[row] = micros_since_epoch(value); }
  };
  std::visit(Write{vector, row}, value);
}

class RowsWorker final : public engine::TableScan::Worker {
 public:
  RowsWorker(Rows rows, std::vector<size_t> projection)
      : rows_(std::move(rows)), projection_(std::move(projection)) {}

  size_t produce(engine::MutableChunk& into) override {
    const size_t count = std::min(engine::kVectorSize, rows_->size() - next_);
    for (size_t column = 0; column < projection_.size(); ++column) {
      engine::MutableVector vector = into.column(column);
      for (size_t row = 0; row < count; ++row)
        write((*rows_)[next_ + row][projection_[column]], vector, row);
    }
    next_ += count;
    return count;
  }

 private:
  Rows rows_;
  std::vector<size_t> projection_;
  size_t next_ = 0;
};

class RowsScan final : public engine::TableScan {
 public:
  explicit RowsScan(Rows rows) : rows_(std::move(rows)) {}
  std::unique_ptr<Worker> make_worker(const std::vector<size_t>& projection) override {
    return std::make_unique<RowsWorker>(rows_, projection);
  }

 private:
  Rows rows_;
};

class SystemFunction final : public engine::TableFunction {
 public:
  explicit SystemFunction(std::vector<SystemTable> tables) : tables_(std::move(tables)) {}

  std::string name() const override { return "headrace_system"; }
  std::vector<std::string> parameter_types() const override { return {"VARCHAR"}; }

  const SystemTable* find(const std::string& name) const {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const SystemTable& table) { return table.name == name; });
    return found == tables_.end() ? nullptr : &*found;
  }

  Binding bind(const std::vector<std::string>& arguments) override {
    const SystemTable* table = find(arguments[0]);
    if (table == nullptr) fail(ErrorKind::kNotFound, "there is no table system.{}", arguments[0]);
    return {table->columns, std::make_shared<std::string>(arguments[0]), -1};
  }

  std::unique_ptr<engine::TableScan> scan(const std::shared_ptr<void>& state) override {
    const SystemTable* table = find(*std::static_pointer_cast<std::string>(state));
    return std::make_unique<RowsScan>(
        std::make_shared<const std::vector<SystemRow>>(table->rows()));
  }

 private:
  std::vector<SystemTable> tables_;
};

}  // namespace

void register_system_tables(engine::Database& database, std::vector<SystemTable> tables) {
  std::vector<SystemRow> list;
  for (const SystemTable& table : tables) list.push_back({table.name, table.summary});
  list.push_back({std::string("system_tables"), std::string("the tables of this schema")});
  tables.push_back({"system_tables",
                    "the tables of this schema",
                    {{"name", "VARCHAR"}, {"summary", "VARCHAR"}},
                    [list] { return list; }});
  auto function = std::make_shared<SystemFunction>(std::move(tables));
  database.register_function(std::static_pointer_cast<engine::TableFunction>(function));
  database.set_system_table_resolver(
      [function](const std::string& name) -> std::optional<engine::Database::TableCall> {
        const std::string wanted = to_lower(name);
        if (function->find(wanted) == nullptr) return std::nullopt;
        return engine::Database::TableCall{"headrace_system", {wanted}};
      });
}

}  // namespace headrace::query
