#pragma once

// Uploads in parts, side by side. Private to the module.

#include <string>
#include <string_view>

#include "objects/s3_client.h"

namespace headrace::objects {

// Returns the etag. An upload that fails is aborted, as far as the server can still be reached.
std::string upload_in_parts(S3Client& client, const S3Location& at, std::string_view bytes);

int64_t remove_abandoned_uploads(S3Client& client, const std::string& bucket,
                                 const std::string& prefix, Timestamp before);

}  // namespace headrace::objects
