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

// What holds of two values of which this does not.
Kind contrary(Kind kind) {
  switch (kind) {
    case Kind::kEqual:
      return Kind::kNotEqual;
    case Kind::kNotEqual:
      return Kind::kEqual;
    case Kind::kLess:
      return Kind::kGreaterOrEqual;
    case Kind::kLessOrEqual:
      return Kind::kGreater;
    case Kind::kGreater:
      return Kind::kLessOrEqual;
    case Kind::kGreaterOrEqual:
      return Kind::kLess;
    default:
      return Kind::kUnknown;
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

  // The condition that the expression is true, or (`is_denied`) that it is false. Of NULL neither
  // holds.
  Condition read(const duckdb::Expression& expression, bool is_denied) const {
    switch (expression.GetExpressionClass()) {
      case ExpressionClass::BOUND_COMPARISON: {
        const auto& comparison = expression.Cast<duckdb::BoundComparisonExpression>();
        return compared(expression.GetExpressionType(), *comparison.left, *comparison.right,
                        is_denied);
      }
      case ExpressionClass::BOUND_BETWEEN: {
        const auto& between = expression.Cast<duckdb::BoundBetweenExpression>();
        return {.kind = is_denied ? Kind::kOr : Kind::kAnd,
                .parts = {compared(between.LowerComparisonType(), *between.input, *between.lower,
                                   is_denied),
                          compared(between.UpperComparisonType(), *between.input, *between.upper,
                                   is_denied)}};
      }
      case ExpressionClass::BOUND_CONJUNCTION:
        return conjunction(expression.Cast<duckdb::BoundConjunctionExpression>(), is_denied);
      case ExpressionClass::BOUND_OPERATOR:
        return operation(expression.Cast<duckdb::BoundOperatorExpression>(), is_denied);
      case ExpressionClass::BOUND_FUNCTION:
        // What is known is less than what it says, so nothing is known of the contrary.
        if (is_denied) return {};
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
                     const duckdb::Expression& right, bool is_denied) const {
    Kind kind = kind_of_comparison(type);
    if (is_denied) {
      // IS NOT DISTINCT FROM is false of NULL.
      kind = type == ExpressionType::COMPARE_NOT_DISTINCT_FROM ? Kind::kUnknown : contrary(kind);
    }
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

  Condition conjunction(const duckdb::BoundConjunctionExpression& expression,
                        bool is_denied) const {
    const bool is_and = expression.GetExpressionType() == ExpressionType::CONJUNCTION_AND;
    Condition condition{.kind = is_and == is_denied ? Kind::kOr : Kind::kAnd};
    for (const auto& child : expression.children) {
      condition.parts.push_back(read(*child, is_denied));
    }
    return condition;
  }

  Condition operation(const duckdb::BoundOperatorExpression& expression, bool is_denied) const {
    const ExpressionType type = expression.GetExpressionType();
    switch (type) {
      case ExpressionType::OPERATOR_NOT:
        return read(*expression.children[0], !is_denied);
      case ExpressionType::OPERATOR_IS_NULL:
      case ExpressionType::OPERATOR_IS_NOT_NULL:
        return on_column((type == ExpressionType::OPERATOR_IS_NULL) == is_denied ? Kind::kIsNotNull
                                                                                 : Kind::kIsNull,
                         *expression.children[0]);
      case ExpressionType::COMPARE_IN:
      case ExpressionType::COMPARE_NOT_IN:
        return membership(expression, (type == ExpressionType::COMPARE_IN) == is_denied);
      default:
        return {};
    }
  }

  Condition membership(const duckdb::BoundOperatorExpression& expression, bool is_denied) const {
    Condition in = on_column(Kind::kIn, *expression.children[0]);
    if (in.kind == Kind::kUnknown) return {};
    for (size_t i = 1; i < expression.children.size(); ++i) {
      const duckdb::Expression& child = *expression.children[i];
      // NULL in the list makes no row meet the condition that does not without it.
      if (child.GetExpressionClass() == ExpressionClass::BOUND_CONSTANT &&
          child.Cast<duckdb::BoundConstantExpression>().value.IsNull()) {
        continue;
      }
      auto value = constant_text(child);
      if (!value && !is_denied) return {};
      if (value) in.values.push_back(std::move(*value));
    }
    if (!is_denied) return in;
    Condition none{.kind = Kind::kAnd};
    for (std::string& value : in.values) {
      none.parts.push_back({.kind = Kind::kNotEqual,
                            .column = in.column,
                            .type = in.type,
                            .values = {std::move(value)}});
    }
    return none;
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
  return Reader(place).read(expression, false);
}

}  // namespace headrace::engine
