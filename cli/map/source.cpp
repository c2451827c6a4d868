#include "map/source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

class list final : public source {
 public:
  explicit list(std::vector<std::string> words) : words_(std::move(words)) {}
  bool next(std::string& item) override {
    if (at_ == words_.size()) return false;
    item = std::move(words_[at_++]);
    return true;
  }

 private:
  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

class lines final : public source {
 public:
  lines(reader from, char delimiter) : from_(std::move(from)), delimiter_(delimiter) {}
  bool next(std::string& item) override {
    std::size_t searched = begin_;
    while (true) {
      const std::size_t end = read_.find(delimiter_, searched);
      if (end != std::string::npos) {
        item.assign(read_, begin_, end - begin_);
        begin_ = end + 1;
        return true;
      }
      read_.erase(0, begin_);
      begin_ = 0;
      searched = read_.size();
      constexpr std::size_t at_once = 65536;
      if (!from_.read(read_, at_once)) break;
    }
    if (read_.empty()) return false;
    item = std::exchange(read_, {});
    return true;
  }

 private:
  reader from_;
  char delimiter_;
  std::string read_;
  std::size_t begin_ = 0;  // of what is not handed out
};

[[noreturn]] void unreadable(const std::string& name) {
  throw refusal(own_failure, fmt::format("cannot read the items from {}: {}", cli::harmless(name),
                                         std::generic_category().message(errno)));
}

}  // namespace

bool reader::read(std::string& to, std::size_t most) {
  while (!ended_) {
    std::array<pollfd, 2> both{{{file_.number(), POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (::poll(both.data(), both.size(), -1) < 0) {
      if (errno == EINTR) continue;
      unreadable(name_);
    }
    if (both[1].revents != 0) break;
    const std::size_t before = to.size();
    to.resize(before + most);
    const ssize_t got = ::read(file_.number(), to.data() + before, most);
    const int error = errno;
    to.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) return true;
    if (got == 0) break;
    errno = error;
    if (error != EINTR && error != EAGAIN) unreadable(name_);
  }
  ended_ = true;
  return false;
}

reader open_list(const std::string& path, int stop) {
  const bool standard = path == "-";
  // Not moved out of the way: nobody else opens files here.
  forkful::detail::fd file(standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string name = standard ? "standard input" : path;
  if (!file.valid()) unreadable(name);
  return {std::move(file), std::move(name), stop};
}

std::unique_ptr<source> list_of(std::vector<std::string> words) { return std::make_unique<list>(std::move(words)); }

std::unique_ptr<source> lines_of(const std::string& path, char delimiter, int stop) {
  return std::make_unique<lines>(open_list(path, stop), delimiter);
}

}  // namespace mapping
