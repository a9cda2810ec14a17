#include <exception>

#include "engine/state.h"

namespace headrace::engine {
namespace {

// What the engine keeps for a registered function: ours, and where its types are looked up.
struct Registration {
  Database::State* database;
  std::shared_ptr<TableFunction> function;
};

struct BoundScan {
  std::shared_ptr<TableFunction> function;
  std::shared_ptr<void> state;
};

struct RunningScan {
  std::unique_ptr<TableScan> scan;
  std::vector<size_t> projection;
};

template <class T>
void destroy(void* object) {
  delete static_cast<T*>(object);
}

// Runs `body`; what it throws is handed to `report` as text.
template <class Body, class Report>
void guarded(Body body, Report report) {
  try {
    body();
  } catch (const std::exception& error) {
    report(error.what());
  }
}

std::string argument_text(duckdb_bind_info info, idx_t index) {
  duckdb_value value = duckdb_bind_get_parameter(info, index);
  std::string text;
  if (!duckdb_is_null_value(value)) {
    char* characters = duckdb_get_varchar(value);
    text = characters;
    duckdb_free(characters);
  }
  duckdb_destroy_value(&value);
  return text;
}

void bind_function(duckdb_bind_info info) {
  guarded(
      [&] {
        auto& registration = *static_cast<Registration*>(duckdb_bind_get_extra_info(info));
        std::vector<std::string> arguments;
        for (idx_t i = 0; i < duckdb_bind_get_parameter_count(info); ++i) {
          arguments.push_back(argument_text(info, i));
        }
        TableFunction::Binding binding = registration.function->bind(arguments);
        for (const Column& column : binding.columns) {
          const LogicalType type = registration.database->with_own_connection(
              [&](duckdb_connection connection) { return logical_type(connection, column.type); });
          duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
        }
        if (binding.estimated_rows >= 0) {
          duckdb_bind_set_cardinality(info, static_cast<idx_t>(binding.estimated_rows), false);
        }
        duckdb_bind_set_bind_data(info,
                                  new BoundScan{registration.function, std::move(binding.state)},
                                  destroy<BoundScan>);
      },
      [&](const char* message) { duckdb_bind_set_error(info, message); });
}

void init_function(duckdb_init_info info) {
  guarded(
      [&] {
        auto& bound = *static_cast<BoundScan*>(duckdb_init_get_bind_data(info));
        auto running = std::make_unique<RunningScan>();
        running->scan = bound.function->scan(bound.state);
        for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
          running->projection.push_back(duckdb_init_get_column_index(info, i));
        }
        duckdb_init_set_max_threads(info, static_cast<idx_t>(running->scan->max_threads()));
        duckdb_init_set_init_data(info, running.release(), destroy<RunningScan>);
      },
      [&](const char* message) { duckdb_init_set_error(info, message); });
}

// The engine shows the scan only to the function itself, so a worker is made at its first call.
struct WorkerSlot {
  std::unique_ptr<TableScan::Worker> worker;
};

void init_local(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new WorkerSlot, destroy<WorkerSlot>);
}

void produce(duckdb_function_info info, duckdb_data_chunk output) {
  guarded(
      [&] {
        auto& running = *static_cast<RunningScan*>(duckdb_function_get_init_data(info));
        auto& slot = *static_cast<WorkerSlot*>(duckdb_function_get_local_init_data(info));
        if (!slot.worker) slot.worker = running.scan->make_worker(running.projection);
        MutableChunk chunk(output);
        duckdb_data_chunk_set_size(output, slot.worker->produce(chunk));
      },
      [&](const char* message) { duckdb_function_set_error(info, message); });
}

struct ScalarRegistration {
  std::shared_ptr<ScalarFunction> function;
  PlannedFunction* planned = nullptr;  // the same, when it is one
};

void run_scalar(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  guarded(
      [&] {
        auto& registration =
            *static_cast<ScalarRegistration*>(duckdb_scalar_function_get_extra_info(info));
        const Chunk arguments(input, duckdb_data_chunk_get_size(input));
        MutableVector result(output);
        if (registration.planned == nullptr) {
          registration.function->run(arguments, result);
          return;
        }
        const auto* plan =
            static_cast<const std::shared_ptr<void>*>(duckdb_scalar_function_get_bind_data(info));
        registration.planned->run_planned(arguments, result, plan->get());
      },
      [&](const char* message) { duckdb_scalar_function_set_error(info, message); });
}

// The argument's value when it is the same for all rows.
std::optional<std::string> constant_text(duckdb_bind_info info, idx_t index) {
  duckdb_expression expression = duckdb_scalar_function_bind_get_argument(info, index);
  std::optional<std::string> text;
  if (duckdb_expression_is_foldable(expression)) {
    duckdb_client_context context = nullptr;
    duckdb_scalar_function_get_client_context(info, &context);
    duckdb_value value = nullptr;
    duckdb_error_data error = duckdb_expression_fold(context, expression, &value);
    if (value != nullptr && !duckdb_is_null_value(value)) {
      char* characters = duckdb_get_varchar(value);
      text = characters;
      duckdb_free(characters);
    }
    if (value != nullptr) duckdb_destroy_value(&value);
    duckdb_destroy_error_data(&error);
    duckdb_destroy_client_context(&context);
  }
  duckdb_destroy_expression(&expression);
  return text;
}

void* copy_plan(void* plan) {
  return new std::shared_ptr<void>(*static_cast<std::shared_ptr<void>*>(plan));
}

void plan_scalar(duckdb_bind_info info) {
  guarded(
      [&] {
        auto& registration =
            *static_cast<ScalarRegistration*>(duckdb_scalar_function_bind_get_extra_info(info));
        ConstantArguments constants;
        for (idx_t i = 0; i < duckdb_scalar_function_bind_get_argument_count(info); ++i) {
          constants.push_back(constant_text(info, i));
        }
        duckdb_scalar_function_set_bind_data(
            info, new std::shared_ptr<void>(registration.planned->plan(constants)),
            destroy<std::shared_ptr<void>>);
        duckdb_scalar_function_set_bind_data_copy(info, copy_plan);
      },
      [&](const char* message) { duckdb_scalar_function_bind_set_error(info, message); });
}

}  // namespace

void register_table_function(Database::State& state, std::shared_ptr<TableFunction> function) {
  state.with_own_connection([&](duckdb_connection connection) {
    duckdb_table_function handle = duckdb_create_table_function();
    const std::string name = function->name();
    duckdb_table_function_set_name(handle, name.c_str());
    for (const std::string& parameter : function->parameter_types()) {
      duckdb_table_function_add_parameter(handle, logical_type(connection, parameter).get());
    }
    duckdb_table_function_supports_projection_pushdown(handle, function->supports_projection());
    duckdb_table_function_set_extra_info(handle, new Registration{&state, std::move(function)},
                                         destroy<Registration>);
    duckdb_table_function_set_bind(handle, bind_function);
    duckdb_table_function_set_init(handle, init_function);
    duckdb_table_function_set_local_init(handle, init_local);
    duckdb_table_function_set_function(handle, produce);
    const duckdb_state registered = duckdb_register_table_function(connection, handle);
    duckdb_destroy_table_function(&handle);
    if (registered == DuckDBError)
      fail(ErrorKind::kInternal, "registering table function {} failed", name);
  });
}

void register_scalar_function(Database::State& state, std::shared_ptr<ScalarFunction> function) {
  state.with_own_connection([&](duckdb_connection connection) {
    duckdb_scalar_function handle = duckdb_create_scalar_function();
    const std::string name = function->name();
    duckdb_scalar_function_set_name(handle, name.c_str());
    for (const std::string& parameter : function->parameter_types()) {
      duckdb_scalar_function_add_parameter(handle, logical_type(connection, parameter).get());
    }
    duckdb_scalar_function_set_return_type(handle,
                                           logical_type(connection, function->return_type()).get());
    if (function->is_volatile()) duckdb_scalar_function_set_volatile(handle);
    duckdb_scalar_function_set_special_handling(handle);  // NULL arguments reach the function
    auto* planned = dynamic_cast<PlannedFunction*>(function.get());
    if (planned != nullptr) duckdb_scalar_function_set_bind(handle, plan_scalar);
    duckdb_scalar_function_set_extra_info(
        handle, new ScalarRegistration{std::move(function), planned}, destroy<ScalarRegistration>);
    duckdb_scalar_function_set_function(handle, run_scalar);
    const duckdb_state registered = duckdb_register_scalar_function(connection, handle);
    duckdb_destroy_scalar_function(&handle);
    if (registered == DuckDBError)
      fail(ErrorKind::kInternal, "registering function {} failed", name);
  });
}

}  // namespace headrace::engine
