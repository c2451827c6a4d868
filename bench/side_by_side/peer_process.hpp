// A contestant in another program (a Python script, a program under mpirun), which takes its turns with ours.
//
// It speaks lines over its standard input and output:
//   it says  "ready", followed by any text, when it is set up;
//   we say   "round", and it does one round and says its measurements and last its result: "0.00123 45" or "0.1 0.2 0.1 45",
//            where "-" stands for nothing to compare;
//   we close its input, and it ends.
// Lines that are neither are passed over. It is ended with its whole process group, so it may start processes of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace forkful_bench {

class peer_process {
 public:
  /// Starts it and waits until it is ready. Never throws: a program that is missing, or ends, is not alive() and why() says so.
  explicit peer_process(std::vector<std::string> command, std::chrono::seconds timeout = std::chrono::seconds(60));
  ~peer_process();
  peer_process(const peer_process&) = delete;
  peer_process& operator=(const peer_process&) = delete;

  [[nodiscard]] bool alive() const { return why_.empty(); }
  /// One sentence.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// One round: measurements, and the result. Throws std::runtime_error if the peer ends, or takes longer than the timeout.
  std::pair<std::vector<double>, std::string> round();
  /// Sends the line given, and returns the answer: for peers that know more than "round". Throws like round().
  std::string ask(const std::string& line);

 private:
  std::string line_or_throw();
  std::string last_words();
  void end();

  std::vector<std::string> command_;
  std::chrono::seconds timeout_;
  std::string why_{};
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int complaints_ = -1;  // a file without a name: its standard error
  std::string read_{};
};

/// The folder with the scripts, bench/peers/NAME; and the folder with peers that are built, like "mpi_slices".
std::string peer_script(const std::string& name);
std::string peer_program(const std::string& name);
/// `python3 bench/peers/SCRIPT ARGUMENTS`.
std::vector<std::string> python(const std::string& script, std::vector<std::string> arguments = {});
/// `mpirun -n RANKS PROGRAM ARGUMENTS`, also as root and with more ranks than cores.
std::vector<std::string> mpirun(unsigned ranks, const std::string& program, std::vector<std::string> arguments = {});

}  // namespace forkful_bench
