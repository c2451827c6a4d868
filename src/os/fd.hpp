// An owned file descriptor. Owns it alone, closes it at the end; closed on exec.
#pragma once

#include <unistd.h>

#include <utility>

namespace forkful::detail {

class fd {
 public:
  fd() noexcept = default;
  explicit fd(int number) noexcept : number_(number) {}
  fd(fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  fd& operator=(fd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~fd() { reset(); }

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool valid() const noexcept { return number_ >= 0; }

  // close() is not repeated on EINTR: on Linux the descriptor is gone by then.
  void reset() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

  // Gives up a descriptor that something else has already closed.
  void forget() noexcept { number_ = -1; }

 private:
  int number_ = -1;
};

}  // namespace forkful::detail
