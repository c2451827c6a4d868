// The command line of `forkful map`: its options, the words of the command, and where the items come from.
//
// Read by its own reader, not by CLI11: options end at the first word of the command, short ones bundle, and -j takes -1.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mapping {

enum class grouping : unsigned char { ordered, unordered, lines, none };
enum class shape : unsigned char { by_shape, shell, words };
enum class resuming : unsigned char { no, done, succeeded, numbers };

/// When to stop before the end.
struct halting {
  enum class moment : unsigned char { never, soon, now };
  enum class kind : unsigned char { fail, success, done };
  moment when = moment::never;
  kind what = kind::fail;
  std::size_t count = 0;  ///< so many of them; 0: `percent`
  double percent = 0;
};

/// Where items come from.
struct origin {
  bool file = false;
  bool linked = false;               ///< side by side with the one before
  std::vector<std::string> words{};  ///< items, or the path of one file
};

struct options {
  std::string jobs{};  ///< as typed
  std::optional<std::size_t> per_job{};
  bool positional = false;  ///< -N
  bool fill = false;
  char delimiter = '\n';
  std::vector<std::string> files{};
  bool link = false;
  std::string column_separator{};
  bool header = false;
  bool drop_empty = false;
  std::string placeholder = "{}";
  shape how = shape::by_shape;
  std::string shell_program{};
  grouping output = grouping::ordered;
  bool tag = false;
  std::optional<std::string> tag_text{};
  std::string output_file{};
  std::chrono::nanoseconds timeout{0};
  std::size_t tries = 1;
  std::chrono::nanoseconds delay{0};
  halting halt{};
  std::vector<int> good{0};
  std::string log{};
  resuming resume = resuming::no;
  bool blocks = false;
  std::optional<std::size_t> block_bytes{};
  bool dry_run = false;
  bool say_commands = false;
  bool progress = false;
  std::string report{};
  bool advice = false;
  bool quiet = false;

  std::vector<std::string> command{};
  std::vector<origin> origins{};
};

struct option_help {
  std::string names;  ///< "-j,-P,--jobs"
  std::string value;  ///< "N"; empty: none
  std::string about;
};
/// In the order in which help lists them.
std::vector<option_help> option_list();

/// Reads the words behind "map". Empty: help is wanted. Throws refusal.
std::optional<options> read_options(const std::vector<std::string>& words);

}  // namespace mapping
