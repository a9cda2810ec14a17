#pragma once

// The table function headrace_topic(topic, ranges): records of a topic as a table, straight from
// the log. `ranges` is a JSON array with [from, to] for each partition; to = null means the end of
// the partition at the time the query starts. Columns: record_columns().

#include <memory>
#include <string>
#include <vector>

#include "engine/functions.h"
#include "stream/log.h"

namespace headrace::tables {

struct OffsetRange {
  stream::Offset from = 0;
  std::optional<stream::Offset> to;
};

std::shared_ptr<engine::TableFunction> make_topic_function(const stream::Log& log);

// "headrace_topic('edits', '[[0,100],[5,null]]')"
std::string topic_sql(const std::string& topic, const std::vector<OffsetRange>& ranges);

}  // namespace headrace::tables
