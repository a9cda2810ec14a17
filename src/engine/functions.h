#pragma once

// Functions that headrace adds to the engine's SQL: tables produced by C++ code, scalars computed
// by it. An exception thrown inside becomes the query's error.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/vector.h"

namespace headrace::engine {

// One execution of a table function in one query.
class TableScan {
 public:
  virtual ~TableScan() = default;
  // How many threads may produce at once.
  virtual int max_threads() const { return 1; }
  // A worker per thread, used by that thread alone.
  class Worker {
   public:
    virtual ~Worker() = default;
    // Fills up to kVectorSize rows; columns are those asked for in `projection`, in that order.
    // Zero rows: finished.
    virtual size_t produce(MutableChunk& into) = 0;
  };
  // `projection`: indexes of the columns the query needs (may be empty for count(*)).
  virtual std::unique_ptr<Worker> make_worker(const std::vector<size_t>& projection) = 0;
};

class TableFunction {
 public:
  virtual ~TableFunction() = default;
  virtual std::string name() const = 0;
  virtual std::vector<std::string> parameter_types() const = 0;  // DuckDB type names
  // Arguments come as text (NULL as "").
  struct Binding {
    std::vector<Column> columns;
    std::shared_ptr<void> state;  // handed to scan()
    int64_t estimated_rows = -1;  // −1: not known
  };
  // False: every column is always asked for, even those that the query drops.
  virtual bool supports_projection() const { return true; }
  virtual Binding bind(const std::vector<std::string>& arguments) = 0;
  virtual std::unique_ptr<TableScan> scan(const std::shared_ptr<void>& state) = 0;
};

// A function's arguments as text where they are constants of the query; NULL is told like what is
// no constant.
using ConstantArguments = std::vector<std::optional<std::string>>;

class ScalarFunction {
 public:
  virtual ~ScalarFunction() = default;
  virtual std::string name() const = 0;
  virtual std::vector<std::string> parameter_types() const = 0;
  virtual std::string return_type() const = 0;
  virtual bool is_volatile() const { return false; }  // true: never folded, run once a row
  virtual void run(const Chunk& arguments, MutableVector& result) = 0;
};

// A function that prepares itself for each query.
class PlannedFunction : public ScalarFunction {
 public:
  // Called while a query is planned. What it returns lives as long as the plan and is handed to
  // each run_planned(), by several threads at once.
  virtual std::shared_ptr<void> plan(const ConstantArguments& constants) = 0;
  virtual void run_planned(const Chunk& arguments, MutableVector& result, void* planned) = 0;

 private:
  void run(const Chunk& arguments, MutableVector& result) final {
    run_planned(arguments, result, nullptr);
  }
};

}  // namespace headrace::engine
