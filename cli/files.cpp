// Reads files, and says in one sentence why one cannot be a slice; writes files whole or not at all.
#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "format/fmt.hpp"
#include "terminal.hpp"

namespace cli {

namespace {

[[noreturn]] void refuse(const std::string& path, std::string_view why, std::string_view way_out) {
  throw std::runtime_error(fmt::format("'{}' {}; {}", harmless(path), why, way_out));
}

[[noreturn]] void refuse_for(int error, const std::string& path) {
  if (error == ENOENT) refuse(path, "does not exist", "check its name, or leave it out");
  if (error == EACCES) refuse(path, "may not be read by you", "change its permissions (chmod +r), or leave it out");
  refuse(path, fmt::format("cannot be read ({})", std::generic_category().message(error)),
         "check the file, or leave it out");
}

class descriptor {
 public:
  // Not to wait for the other end of a pipe, which is refused anyway.
  explicit descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) refuse_for(errno, path);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(fd_); }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::vector<std::string> licence_texts() {
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/share/common-licenses", none))
    if (entry.is_regular_file(none) && !entry.is_symlink(none)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string read_slice(const std::string& path) {
  const descriptor file(path);
  struct stat about{};
  if (fstat(file.get(), &about) != 0) refuse_for(errno, path);
  if (S_ISDIR(about.st_mode)) refuse(path, "is a directory", "name the files in it instead");
  if (!S_ISREG(about.st_mode))
    refuse(path, "is a pipe or a device", "save what comes out of it to a file and name that");

  // Until the end rather than st_size bytes: a file may grow, and those in
  // /proc claim to be empty.
  std::string text;
  std::array<char, 65536> room;
  while (true) {
    const ssize_t got = read(file.get(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_for(errno, path);
    if (got == 0) break;
    text.append(room.data(), static_cast<std::size_t>(got));
  }
  if (text.empty()) refuse(path, "is empty, so there is nothing to compress", "leave it out");
  return text;
}

namespace {

/// A file that has another name until it is whole.
std::string unfinished(const std::string& file) { return file + ".part"; }

[[noreturn]] void throw_unwritable(const std::string& file) {
  const int why = errno;
  std::remove(unfinished(file).c_str());
  throw std::system_error(why, std::generic_category(), "cannot write " + harmless(file));
}

}  // namespace

void check_writable(const std::string& file) {
  const bool works = std::ofstream(unfinished(file), std::ios::binary).is_open();
  if (!works) throw_unwritable(file);
  std::remove(unfinished(file).c_str());
}

void write_whole(const std::string& file, std::string_view text) {
  std::ofstream out(unfinished(file), std::ios::binary);
  out << text << std::flush;
  out.close();
  if (!out || std::rename(unfinished(file).c_str(), file.c_str()) != 0) throw_unwritable(file);
}

}  // namespace cli
