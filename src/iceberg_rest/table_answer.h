#pragma once

// A table as the REST catalog answers it ("LoadTableResult"), and its entity tag.

#include "http/message.h"
#include "iceberg_rest/iceberg_routes.h"
#include "lake/table.h"

namespace headrace::iceberg_rest {

enum class Snapshots { kAll, kRefs };  // all, or those that branches and tags point to

// Without "metadata-location" when the table is only staged. With credentials when the request asks
// for them.
http::Response table_answer(const Catalogs& catalogs, const http::Request& request,
                            const lake::Table& table, Snapshots snapshots = Snapshots::kAll);

// 304 when the client has this state of the table already (If-None-Match), else as above.
http::Response table_answer_if_changed(const Catalogs& catalogs, const http::Request& request,
                                       const lake::Table& table, Snapshots snapshots);

// Credentials alone, for clients whose own run out ("LoadCredentialsResponse").
http::Response credentials_answer(const Catalogs& catalogs, const lake::Table& table);

}  // namespace headrace::iceberg_rest
