#!/bin/sh
# extract.sh PAGE.md DIRECTORY: writes every ```cpp block of the page as DIRECTORY/LINE.cpp, LINE being where it starts.
#
# - A block with a main is a program. Any other block is the inside of one: it gets a main around it, its #include and
#   `using namespace` lines above it, and <forkful/forkful.hpp>.
# - A ```text block that is the next block after it is what the program prints, exactly: DIRECTORY/LINE.txt.
# - Compiler messages name the page and its line.
# - <!-- cpp ... --> before a block holds lines the reader need not see; they are put above that block.
# Blocks of any other kind are left alone. Files that did not change are not touched, so that nothing is rebuilt.
set -eu
page=$1
out=$2
fresh=$out.fresh
rm -rf "$fresh"
mkdir -p "$out" "$fresh"

awk -v out="$fresh" -v page="$page" '
  function is_above(line) { return line ~ /^#include|^using namespace/ }
  function finish_program(   file, has_main, i) {
    file = sprintf("%s/%04d.cpp", out, start)
    for (i = 1; i <= count; ++i) has_main = has_main || lines[i] ~ /int main\(/
    print "// From " page ", line " start "." > file
    if (!has_main) {
      print "#include <forkful/forkful.hpp>" > file
      for (i = 1; i <= count; ++i) if (is_above(lines[i])) print lines[i] > file
    }
    printf "%s", hidden > file
    if (!has_main) print "int main() {" > file
    print "#line " start + 1 " \"" page "\"" > file
    for (i = 1; i <= count; ++i) print has_main || !is_above(lines[i]) ? lines[i] : "" > file
    if (!has_main) print "}" > file
    close(file)
    hidden = ""
  }

  kind == "" && /^<!-- cpp *$/ { kind = "hidden"; next }
  kind == "hidden" && /^-->/ { kind = ""; next }
  kind == "hidden" { hidden = hidden $0 "\n"; next }

  kind == "" && /^```/ {
    kind = $0 == "```" ? "plain" : substr($0, 4)
    if (kind == "cpp") { start = NR; count = 0 }
    if (kind == "text" && expects) { expected = sprintf("%s/%04d.txt", out, start); printf "" > expected }
    next
  }
  kind != "" && /^```/ {
    if (kind == "cpp") finish_program()
    if (kind == "text" && expects) close(expected)
    expects = (kind == "cpp")
    kind = ""
    next
  }
  kind == "cpp" { lines[++count] = $0 }
  kind == "text" && expects { print > expected }
' "$page"

for file in "$out"/*; do
  [ ! -e "$file" ] || [ -e "$fresh/${file##*/}" ] || rm "$file"
done
for file in "$fresh"/*; do
  [ ! -e "$file" ] || cmp -s "$file" "$out/${file##*/}" || mv "$file" "$out/"
done
rm -rf "$fresh"
