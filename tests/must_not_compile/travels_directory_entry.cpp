// expect: a directory_entry cannot travel to another process: take its path
// Paths travel.
#include <filesystem>
#include <forkful/process_pool.hpp>
#include <ranges>

std::vector<std::size_t> sizes(forkful::process_pool& pool, const char* folder) {
#ifdef CONTROL
  auto files = std::filesystem::directory_iterator(folder) |
               std::views::transform([](const auto& entry) { return entry.path(); });
  return pool.map(files, [](const std::filesystem::path& file) { return file.native().size(); });
#else
  return pool.map(std::filesystem::directory_iterator(folder),
                  [](const std::filesystem::directory_entry& file) { return file.path().native().size(); });
#endif
}
