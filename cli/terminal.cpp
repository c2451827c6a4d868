// Colour, terminals and printing. See terminal.hpp.
#include "terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <system_error>

#include "format/fmt.hpp"

namespace cli {

namespace {

std::ostream* elsewhere = nullptr;

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

std::string escaped(std::string_view code, std::string_view text) {
  return colourful() && elsewhere == nullptr ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

}  // namespace

bool interactive() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

bool colourful() {
  static const bool answer =
      isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  return answer;
}

std::string bold(std::string_view text) { return escaped("1", text); }
std::string faint(std::string_view text) { return escaped("2", text); }
std::string red(std::string_view text) { return escaped("97;41", text); }

std::string slice_colour(std::size_t n, std::string_view text) {
  // Black on yellow, green, cyan, magenta, white: readable on dark and light terminals. Red means lost.
  static constexpr std::array<std::string_view, 5> colours{"30;43", "30;42", "30;46", "30;45", "30;47"};
  return escaped(colours[n % colours.size()], text);
}

void print_to(std::ostream* out) { elsewhere = out; }

void print(std::string_view text) {
  if (elsewhere != nullptr) {
    *elsewhere << text;
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write to stdout");
}

void complain(std::string_view text) { fmt::print(stderr, "forkful: {}\n", text); }

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t room = columns;
  while (text.size() > room) {
    const std::size_t blank = text.rfind(' ', room);
    const std::size_t end = blank == std::string_view::npos || blank == 0 ? room : blank;
    lines += text.substr(0, end);
    lines += '\n' + std::string(indent, ' ');
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    room = columns - indent;
  }
  lines += text;
  return lines + '\n';
}

std::string harmless(std::string_view text) {
  std::string shown(text);
  std::replace_if(shown.begin(), shown.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  return shown;
}

}  // namespace cli
