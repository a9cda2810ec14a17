#include "views/view_guide.h"

namespace headrace::views {

std::string view_guide() {
  return R"(
## The query

One `SELECT` of keys and aggregates, with `GROUP BY` (`ALL`, columns, names, positions), `WHERE`, and:

```sql
-- table: gold.orders_per_hour
-- partition_by: [day(hour)]
SELECT
  time_bucket(INTERVAL 1 HOUR, o.ordered_at) AS hour,
  c.region,
  count(*) AS orders,
  sum(o.amount) FILTER (WHERE o.status = 'paid') AS paid,
  count(DISTINCT o.customer) AS customers,
  arg_max(o.status, o.ordered_at) AS newest
FROM silver.orders AS o
LEFT JOIN silver.customers AS c ON o.customer = c.id
GROUP BY ALL
```

| Aggregate | Kept as | Notes |
|---|---|---|
| `count`, `sum`, `avg`, `count_if` | numbers | integers give `BIGINT` and fail rather than wrap; sums of doubles are exact to rounding |
| `stddev`, `variance`, `_samp`, `_pop` | count, mean, squared distances | `DOUBLE` |
| `min`, `max` | the value; where rows change, all different values | |
| `max(x, n)`, `min(x, n)` | the n values; where rows change, all different ones | a list, the best first, n up to 10,000 |
| `arg_max(x, y)`, `arg_min(x, y)`, `max_by`, `min_by`, also with a third argument n | likewise | first and last by time; of equal y the greatest or least x |
| `count(DISTINCT x)` | all different values | exact |
| `median`, `quantile_cont`, `quantile_disc` | all different values | exact; one fraction each; the continuous ones are `DOUBLE` |
| `approx_count_distinct` | at most 4,096 registers | standard error 1.6 % |
| `approx_quantile` | buckets of a logarithmic scale | at most 1 % off; `DOUBLE` |

Each can have `FILTER (WHERE …)`, and stand in expressions. `first` and `last` depend on the order in which rows are read and
are refused: `arg_min(x, time)` and `arg_max(x, time)` say which order.

## What it reads

**The first table** of `FROM` is the one whose changes are followed: a table that is only appended to, one with a primary
key, or one that another view keeps. A row that changes or goes takes its contribution back, whoever changed it. Views may
read views in chains, but not in a circle.

**Joined tables** (`JOIN`, `LEFT JOIN`) are read whole, as they were last committed. When one of them is committed to, SQL shows
the new result at once and the view is built anew from all rows of the first table; its snapshot says why
(`headrace.rebuilt-because`). So join what is small and seldom changes.

## Windows of time

| Window | A row is in | |
|---|---|---|
| `tumble(time, size)` | one window | so are `time_bucket(size, time)` and `date_trunc('hour', time)` |
| `hop(time, slide, size)` | `size / slide` windows, one begins with every slide | the size is a whole number of slides, at most 1,000 |
| `session(time, gap)` | one window with the rows of its group that follow each other within the gap | the gap is at most 366 days |

A window is a key of the view, and its value is its start; `tumble_end`, `hop_end` and `session_end` with the same arguments give
its end (`_start` the start again), which is not in it. A session ends one gap after its last row. The time is a `TIMESTAMP`, a
`TIMESTAMPTZ` (cut in UTC) or a `DATE`; windows begin where those of `time_bucket` do. A view has one of them. Rows without a time
are in a window `NULL`, once.

Without a watermark a late row corrects its window, however late it comes. With one, windows close
([views.md](../views.md) tells how and what that costs).

Not possible: subqueries, `WITH`, `SELECT DISTINCT`, `HAVING`, `ORDER BY`, `LIMIT`, window functions, `ROLLUP`, and what
depends on the time of asking, such as `now()`. `headrace check` names the part and its line.
)";
}

}  // namespace headrace::views
