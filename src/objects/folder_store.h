#pragma once

// Objects as files of a local file system. Conditional puts are exact among threads and among the
// processes of one machine.

#include <memory>

#include "base/file_system.h"
#include "objects/object_store.h"

namespace headrace::objects {

std::unique_ptr<ObjectStore> make_folder_store(FileSystem& files);

}  // namespace headrace::objects
