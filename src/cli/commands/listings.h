#pragma once

// Which members of the API's answers the listings show; `status` and the listing commands share
// them.

#include <string>
#include <vector>

#include "cli/print/object_table.h"

namespace headrace::cli {

std::vector<ListedColumn> topic_columns();
std::vector<ListedColumn> source_columns();
std::vector<ListedColumn> job_columns();
std::vector<ListedColumn> table_columns();
std::vector<ListedColumn> dead_letter_columns();

class Session;
// `objects` under a bold title; `if_empty` instead when there are none.
void print_section(Session& session, const std::string& title, const JsonArray& objects,
                   const std::vector<ListedColumn>& columns, const std::string& if_empty);
// The members of an object, one a line; arrays of objects as tables beneath.
void print_object(Session& session, const Json& object);

}  // namespace headrace::cli
