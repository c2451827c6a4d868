// A call of the system's that was refused, and without which there is no going on. What the user reads about it: errors/refused.hpp.
#pragma once

#include <system_error>

namespace forkful::detail {

class refused_call : public std::system_error {
 public:
  // `call` is the name of a function, as text that lives on.
  refused_call(const char* call, int error) : system_error(error, std::generic_category(), call), call_(call) {}
  [[nodiscard]] const char* call() const noexcept { return call_; }
  [[nodiscard]] int error() const noexcept { return code().value(); }

 private:
  const char* call_;
};

}  // namespace forkful::detail
