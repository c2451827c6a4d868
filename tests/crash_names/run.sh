#!/bin/sh
# run.sh PROGRAM FIXED MODULE WORK: names of crashed functions with debug information, without it, without any symbols, and
# without /proc. FIXED is the program linked to a fixed address.
set -eu
program=$1 fixed=$2 module=$3 work=$4
mkdir -p "$work"

# expect WHAT LINE...: the program in $work says just this.
expect() {
  what=$1
  shift
  printf '%s\n' "$@" >"$work/expected"
  if ! (cd / && $before "$work/kitchen" "$work/spoon.so") >"$work/said"; then
    echo "$what: the program failed"
    exit 1
  fi
  # Offsets, and what a sanitizer puts between, are the build's.
  sed -E 's/\+0x[0-9a-f]+/+0x1/g' "$work/said" | diff -u "$work/expected" - || {
    echo "$what: not as expected, see above"
    exit 1
  }
}
before=

with_lines() {
  expect "$1" \
    'inlined: kitchen::bite at kitchen.cpp:100 | kitchen::bite at kitchen.cpp:100 | kitchen::run_slice(std::string const&) at kitchen.cpp:200' \
    'functor: kitchen::runner::operator()(std::string const&) const at kitchen.cpp:300 | kitchen::runner::operator()(std::string const&) const at kitchen.cpp:300' \
    'lambda: lambda in main at kitchen.cpp:500 | lambda in main at kitchen.cpp:500' \
    'module: stir at spoon.cpp:600 | stir at spoon.cpp:600 | taste at spoon.cpp:700 | kitchen::run_with(std::string const&, unsigned long const&) at kitchen.cpp:400' \
    'again: kitchen::bite at kitchen.cpp:100 | kitchen::bite at kitchen.cpp:100'
}

for way in "$program" "$fixed"; do
  cp "$way" "$work/kitchen"
  cp "$module" "$work/spoon.so"
  with_lines "$way"
done

if unshare -m mount -t tmpfs none /proc 2>/dev/null; then
  cat >"$work/without_proc" <<'END'
mount -t tmpfs none /proc
exec "$@"
END
  before="unshare -m sh $work/without_proc"
  with_lines 'without /proc'
  before=
else
  echo 'not allowed to take /proc away: not tried'
fi

strip -g "$work/spoon.so"
expect 'a library without debug information' \
  'inlined: kitchen::bite at kitchen.cpp:100 | kitchen::bite at kitchen.cpp:100 | kitchen::run_slice(std::string const&) at kitchen.cpp:200' \
  'functor: kitchen::runner::operator()(std::string const&) const at kitchen.cpp:300 | kitchen::runner::operator()(std::string const&) const at kitchen.cpp:300' \
  'lambda: lambda in main at kitchen.cpp:500 | lambda in main at kitchen.cpp:500' \
  'module: taste, called by kitchen::run_with(std::string const&, unsigned long const&) at kitchen.cpp:400, | taste | kitchen::run_with(std::string const&, unsigned long const&) at kitchen.cpp:400' \
  'again: kitchen::bite at kitchen.cpp:100 | kitchen::bite at kitchen.cpp:100'

cp "$program" "$work/kitchen"
strip -g "$work/kitchen" "$work/spoon.so"
expect 'without debug information' \
  'inlined: kitchen::run_slice(std::string const&) | kitchen::run_slice(std::string const&)' \
  'functor: kitchen::runner | kitchen::runner' \
  'lambda: lambda(std::string const&) in main | lambda(std::string const&) in main' \
  'module: taste | taste | kitchen::run_with(std::string const&, unsigned long const&)' \
  'again: kitchen::run_slice(std::string const&) | kitchen::run_slice(std::string const&)'

strip "$work/kitchen"
(cd / && "$work/kitchen" "$work/spoon.so") >"$work/said"
grep -Eq '^inlined: kitchen\+0x[0-9a-f]+ \| kitchen\+0x' "$work/said" && grep -q '^module: taste | taste | kitchen+0x' "$work/said" || {
  cat "$work/said"
  echo 'without symbols: not as expected, see above'
  exit 1
}
echo 'five builds of the program, named as expected'
