// Puts the lines of Python together. See talk.hpp.
#include "tour/talk.hpp"

#include "tour/step.hpp"

namespace tour::talk {

namespace {

std::string_view flush_left(std::string_view text) {
  return text.starts_with('\n') ? text.substr(1) : text;
}

void add(std::string& lines, std::string_view more) {
  if (more.empty()) return;
  if (!lines.empty()) lines += '\n';
  lines += flush_left(more);
}

}  // namespace

std::string before() {
  std::string lines = "import os, signal, sys, time, zlib";
  add(lines, make_cake);
  add(lines, eat_slice);
  add(lines, "cake = makeCake()");
  add(lines, "strawberryCake = makeCake()");
  return lines;
}

std::string that_run(const step& shown) {
  const std::string_view own =
      shown.ours.empty() ? shown.python : shown.ours;
  std::string lines;
  if (own.find("multiprocessing.") != std::string_view::npos)
    add(lines, "import forkful as multiprocessing");
  add(lines, own);
  add(lines, shown.looked_at);
  return lines;
}

}  // namespace tour::talk
