#include "os/small_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace forkful::detail {

std::string read_small_file(const std::string& path, std::size_t most) {
  std::string text(most, '\0');
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t bytes = fd >= 0 ? read(fd, text.data(), text.size()) : 0;
  if (fd >= 0) close(fd);
  text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return text;
}

bool replace_file(const std::string& path, const std::string& part, std::string_view text) {
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(part, path, failed);
  if (file && !failed) return true;
  std::filesystem::remove(part, failed);
  return false;
}

}  // namespace forkful::detail
