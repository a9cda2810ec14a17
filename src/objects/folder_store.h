#pragma once

// Objects as files of a local file system. Conditional puts are exact among the threads of one
// process; put_if_absent among processes, too.

#include <memory>

#include "base/file_system.h"
#include "objects/object_store.h"

namespace headrace::objects {

std::unique_ptr<ObjectStore> make_folder_store(FileSystem& files);

}  // namespace headrace::objects
