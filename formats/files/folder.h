#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ltz::formats {

// Finds out, before any work is done, whether write_folder could write here. Leaves nothing behind.
// Throws IoError, naming the folder: it is there and not empty, or cannot be made.
void require_new_folder(const std::filesystem::path& path);

// A new folder with these files (contents by name), there completely or not at all: it is written
// under another name beside the target, synced and renamed. An empty folder is replaced. Throws
// IoError as require_new_folder does, or naming the file that could not be written.
void write_folder(const std::filesystem::path& path,
                  const std::map<std::string, std::vector<std::byte>>& files);

}  // namespace ltz::formats
