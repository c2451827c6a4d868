// A line on stderr that says how far a call has come.
#pragma once

#include <forkful/options.hpp>
#include <memory>
#include <string>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {
class progress_line;
}

/// How a progress_bar draws. Every member may be left at its default.
struct progress_bar_options {
  /// Where it draws: stderr.
  int fd = 2;
  /// True: draws also where no user may look, in a file or pipe. Where a line cannot be drawn again (there, and where
  /// TERM is "dumb") it prints one every ten seconds and one at the end.
  bool always = false;
  /// Columns it may use. 0: what COLUMNS says, else as wide as the terminal, else 80.
  unsigned columns = 0;
};

/// A progress_fn: `pool.with({.progress = forkful::progress_bar{"running"}}).map(...)` draws
///   running [###########             ]  47 % 470/1000, 3.4 k/s, 2 s left, 2 busy
/// on stderr, at most ten times a second, without colour; and when the call has ended, how long it took. While the number of
/// slices is not known (imap of unsized input), what is known. Draws nothing where stderr is no terminal. The rate is that of
/// the last seconds. Copies draw the same line; it is completed by a newline when a call is through, when the next one begins,
/// or when the last copy is gone (a call that failed). What cannot be written is not: no error comes from here. Calls of several
/// threads want a bar each.
class progress_bar {
 public:
  explicit progress_bar(std::string label, progress_bar_options how = {});

  void operator()(const progress& so_far) const;

 private:
  std::shared_ptr<detail::progress_line> line_;
};

}  // namespace forkful
