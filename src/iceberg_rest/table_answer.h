#pragma once

// A table as the REST catalog answers it ("LoadTableResult"), and its entity tag.

#include "http/message.h"
#include "lake/table.h"

namespace headrace::iceberg_rest {

enum class Snapshots { kAll, kRefs };  // all, or those that branches and tags point to

// Without "metadata-location" when the table is only staged.
http::Response table_answer(const lake::Table& table, Snapshots snapshots = Snapshots::kAll);

// 304 when the client has this state of the table already (If-None-Match), else as above.
http::Response table_answer_if_changed(const http::Request& request, const lake::Table& table,
                                       Snapshots snapshots);

}  // namespace headrace::iceberg_rest
