#pragma once

// One store for file:// and s3:// URIs: each goes to the one it belongs to. Thread use: as those.

#include <memory>

#include "objects/object_store.h"

namespace headrace::objects {

// `s3` may be nullptr: s3:// URIs are then refused, saying what setting there is for them.
std::unique_ptr<ObjectStore> make_store_by_scheme(ObjectStore& folders, ObjectStore* s3);

}  // namespace headrace::objects
