#pragma once

// What things of a project may be called. Each gives a complaint, or an empty text.

#include <string>

namespace headrace::project {

// Sources, jobs, nodes: a letter, then letters, digits, _ and -.
std::string check_name(const std::string& name);
// 1–249 of [a-zA-Z0-9._-], as Kafka's; not "." or "..".
std::string check_topic_name(const std::string& name);
// "silver.orders": a database and a table, each a letter and then letters, digits and _.
std::string check_table_name(const std::string& name);

}  // namespace headrace::project
