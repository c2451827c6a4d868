// What a process or a thread is doing, as the kernel sees it.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>

namespace forkful_tests {

// The letter of a process's state in /proc (R, S, T, Z ...), or 0 if there is no such process.
inline char state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto bracket = text.rfind(')');
  return bracket == std::string::npos ? '\0' : text[bracket + 2];
}

}  // namespace forkful_tests
