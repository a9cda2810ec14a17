#pragma once

// Avro object container files, whole in memory: manifests and manifest lists are small. Written
// with one block; read with any number of blocks of the codecs null and deflate.
// Facts: Apache Avro 1.11 specification. Pure functions, any thread.

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "lake/avro_value.h"

namespace headrace::lake {

using AvroMetadata = std::map<std::string, std::string>;

// `sync_marker`: 16 random bytes. Each row has the values of the schema's fields in order; a union
// must be ["null", X]. Error internal when a row does not fit the schema.
std::string write_avro_file(const Json& schema, const AvroMetadata& metadata,
                            const AvroValues& rows, std::string_view sync_marker);

struct AvroContent {
  AvroSchemaPtr schema;
  AvroMetadata metadata;
  AvroValues rows;
};

// Error corrupt when the bytes break the format or a limit, unsupported for another codec.
AvroContent read_avro_file(std::string_view bytes);

}  // namespace headrace::lake
