// One list of items: words of the command line, a file, standard input.
//
// Files are read as they are needed, so that a list may be endless; not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace mapping {

class source {
 public:
  source() noexcept = default;
  source(const source&) = delete;
  source& operator=(const source&) = delete;
  virtual ~source() = default;
  /// The next item; false at the end. Throws refusal if it cannot be read.
  virtual bool next(std::string& item) = 0;
};

/// What reads a descriptor until somebody says stop.
class reader {
 public:
  /// `stop`, if not -1, becomes readable when nothing more is wanted. `name` is for sentences.
  reader(forkful::detail::fd file, std::string name, int stop)
      : file_(std::move(file)), name_(std::move(name)), stop_(stop) {}
  /// Appends what there is, at least a byte, at most `most`; waits for it. False at the end, or when told to stop. Throws refusal.
  bool read(std::string& to, std::size_t most);

 private:
  forkful::detail::fd file_;
  std::string name_;
  int stop_;
  bool ended_ = false;
};

std::unique_ptr<source> list_of(std::vector<std::string> words);
/// Lines that end in `delimiter`; the last need not. `path` "-": standard input. Throws refusal if there is no such file.
std::unique_ptr<source> lines_of(const std::string& path, char delimiter, int stop);
reader open_list(const std::string& path, int stop);

}  // namespace mapping
