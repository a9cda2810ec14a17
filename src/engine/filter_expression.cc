#include "engine/filter_expression.h"

#include <algorithm>

#include <duckdb/planner/expression/bound_between_expression.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/expression/bound_comparison_expression.hpp>
#include <duckdb/planner/expression/bound_conjunction_expression.hpp>
#include <duckdb/planner/expression/bound_constant_expression.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/planner/expression/bound_operator_expression.hpp>

namespace headrace::engine {
namespace {

using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using Kind = Condition::Kind;

Kind kind_of_comparison(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
    case ExpressionType::COMPARE_NOT_DISTINCT_FROM:  // no constant here is NULL
      return Kind::kEqual;
    case ExpressionType::COMPARE_NOTEQUAL:
      return Kind::kNotEqual;
    case ExpressionType::COMPARE_LESSTHAN:
      return Kind::kLess;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Kind::kLessOrEqual;
    case ExpressionType::COMPARE_GREATERTHAN:
      return Kind::kGreater;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Kind::kGreaterOrEqual;
    default:
      return Kind::kUnknown;
  }
}

// With its sides exchanged.
Kind turned(Kind kind) {
  switch (kind) {
    case Kind::kLess:
      return Kind::kGreater;
    case Kind::kLessOrEqual:
      return Kind::kGreaterOrEqual;
    case Kind::kGreater:
      return Kind::kLess;
    case Kind::kGreaterOrEqual:
      return Kind::kLessOrEqual;
    default:
      return kind;
  }
}

std::optional<std::string> constant_text(const duckdb::Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_CONSTANT) return std::nullopt;
  const duckdb::Value& value = expression.Cast<duckdb::BoundConstantExpression>().value;
  if (value.IsNull()) return std::nullopt;
  return value.ToString();
}

class Reader {
 public:
  explicit Reader(const ColumnPlace& place) : place_(place) {}

  Condition read(const duckdb::Expression& expression) const {
    switch (expression.GetExpressionClass()) {
      case ExpressionClass::BOUND_COMPARISON: {
        const auto& comparison = expression.Cast<duckdb::BoundComparisonExpression>();
        return compared(expression.GetExpressionType(), *comparison.left, *comparison.right);
      }
      case ExpressionClass::BOUND_BETWEEN: {
        const auto& between = expression.Cast<duckdb::BoundBetweenExpression>();
        return {.kind = Kind::kAnd,
                .parts = {compared(between.LowerComparisonType(), *between.input, *between.lower),
                          compared(between.UpperComparisonType(), *between.input, *between.upper)}};
      }
      case ExpressionClass::BOUND_CONJUNCTION:
        return conjunction(expression.Cast<duckdb::BoundConjunctionExpression>());
      case ExpressionClass::BOUND_OPERATOR:
        return operation(expression.Cast<duckdb::BoundOperatorExpression>());
      case ExpressionClass::BOUND_FUNCTION:
        return function(expression.Cast<duckdb::BoundFunctionExpression>());
      default:
        return {};
    }
  }

 private:
  // A condition of a kind on the column that `expression` is, itself or cast.
  Condition on_column(Kind kind, const duckdb::Expression& expression) const {
    const duckdb::Expression* inner = &expression;
    if (expression.GetExpressionClass() == ExpressionClass::BOUND_CAST) {
      inner = expression.Cast<duckdb::BoundCastExpression>().child.get();
    }
    if (inner->GetExpressionClass() != ExpressionClass::BOUND_COLUMN_REF) return {};
    const auto column = place_(inner->Cast<duckdb::BoundColumnRefExpression>().binding);
    if (!column) return {};
    return {.kind = kind, .column = *column, .type = expression.return_type.ToString()};
  }

  Condition compared(ExpressionType type, const duckdb::Expression& left,
                     const duckdb::Expression& right) const {
    Kind kind = kind_of_comparison(type);
    auto value = constant_text(right);
    const duckdb::Expression* column = &left;
    if (!value) {
      value = constant_text(left);
      column = &right;
      kind = turned(kind);
    }
    if (!value || kind == Kind::kUnknown) return {};
    Condition condition = on_column(kind, *column);
    condition.values.push_back(std::move(*value));
    return condition;
  }

  Condition conjunction(const duckdb::BoundConjunctionExpression& expression) const {
    Condition condition{.kind = expression.GetExpressionType() == ExpressionType::CONJUNCTION_AND
                                    ? Kind::kAnd
                                    : Kind::kOr};
    for (const auto& child : expression.children) condition.parts.push_back(read(*child));
    return condition;
  }

  Condition operation(const duckdb::BoundOperatorExpression& expression) const {
    switch (expression.GetExpressionType()) {
      case ExpressionType::OPERATOR_IS_NULL:
        return on_column(Kind::kIsNull, *expression.children[0]);
      case ExpressionType::OPERATOR_IS_NOT_NULL:
        return on_column(Kind::kIsNotNull, *expression.children[0]);
      case ExpressionType::COMPARE_IN: {
        Condition condition = on_column(Kind::kIn, *expression.children[0]);
        for (size_t i = 1; i < expression.children.size(); ++i) {
          const duckdb::Expression& child = *expression.children[i];
          // NULL in the list makes no row meet the condition that does not without it.
          if (child.GetExpressionClass() == ExpressionClass::BOUND_CONSTANT &&
              child.Cast<duckdb::BoundConstantExpression>().value.IsNull()) {
            continue;
          }
          auto value = constant_text(child);
          if (!value) return {};
          condition.values.push_back(std::move(*value));
        }
        return condition;
      }
      default:
        return {};
    }
  }

  Condition function(const duckdb::BoundFunctionExpression& expression) const {
    const std::string& name = expression.function.name;
    const bool is_like = name == "~~";
    if (!is_like && name != "prefix" && name != "starts_with" && name != "^@") return {};
    if (expression.children.size() != 2) return {};
    auto value = constant_text(*expression.children[1]);
    if (!value) return {};
    if (is_like) value->resize(std::min(value->find_first_of("%_\\"), value->size()));
    if (value->empty()) return {};
    Condition condition = on_column(Kind::kStartsWith, *expression.children[0]);
    condition.values.push_back(std::move(*value));
    return condition;
  }

  const ColumnPlace& place_;
};

}  // namespace

Condition condition_of(const duckdb::Expression& expression, const ColumnPlace& place) {
  return Reader(place).read(expression);
}

}  // namespace headrace::engine
