// An owned file descriptor that knows its file again. Owns it alone, and closes it at the end. Closed on exec.
//
// A number is not forkful's for ever. Code in the same process may close all numbers (daemons do, libraries do after a fork) and
// open files of its own, which get the same numbers. So a number is compared with the file it led to at first before it
// is closed, and before anything is written to it that another file must not get. What stays open for long is moved to
// high numbers, above those that such code goes through and above 0 to 2, which programs print to.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <utility>

namespace forkful::detail {

// Which file a number leads to. Plain data, the same in every process that has the file open. Before Linux 6.9 all anonymous files
// (epolls, pidfds) look alike; sockets and pipes never do.
struct [[gnu::visibility("default")]] file_identity {
  dev_t device = 0;
  ino_t inode = 0;

  bool operator==(const file_identity&) const noexcept = default;
  // Both unset where the system does not say.
  static file_identity of(int number) noexcept;
  // Whether the number leads there still. True if that cannot be found out. One system call, async-signal-safe.
  [[nodiscard]] bool behind(int number) const noexcept;
};

class fd {
 public:
  fd() noexcept = default;
  explicit fd(int number) noexcept : number_(number), file_(file_identity::of(number)) {}
  // The same, moved out of the way of other code. Keeps errno if `number` is none; not valid, with errno set, if it is one of 0 to 2
  // and there is no other.
  static fd moved_high(int number) noexcept;
  fd(fd&& other) noexcept : number_(std::exchange(other.number_, -1)), file_(other.file_) {}
  fd& operator=(fd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
      file_ = other.file_;
    }
    return *this;
  }
  ~fd() { reset(); }

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool valid() const noexcept { return number_ >= 0; }
  // It is valid, and no other code of this process has closed it. One system call.
  [[nodiscard]] bool intact() const noexcept { return number_ >= 0 && file_.behind(number_); }
  [[nodiscard]] const file_identity& file() const noexcept { return file_; }

  // Gives the number up without closing it.
  int release() noexcept { return std::exchange(number_, -1); }
  // close() is not repeated on EINTR: on Linux the descriptor is gone by then.
  void reset() noexcept {
    if (const int number = std::exchange(number_, -1); number >= 0 && file_.behind(number)) ::close(number);
  }

 private:
  int number_ = -1;
  file_identity file_;
};

}  // namespace forkful::detail
