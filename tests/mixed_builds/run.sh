#!/bin/sh
# run.sh COMPILER INCLUDE WORK LIBRARY FLAG...: what is built with macros that change the standard containers is refused by the linker,
# with a name that says why; what is built as the library was links and runs.
set -u
compiler=$1 include=$2 work=$3 library=$4
shift 4
here=$(dirname "$0")
mkdir -p "$work"
export LC_ALL=C

# build OUTPUT FLAG...: compiles the program and links it with the library.
link_flags=$*
build() {
  output=$1
  shift
  # Word by word: they are flags.
  "$compiler" -std=c++20 -O0 "$@" -I"$include" "$here/program.cpp" -o "$work/$output" "$library" $link_flags
}

# refused FLAG NAME
refused() {
  if output=$(build mixed "$1" 2>&1); then
    echo "built with $1, it links with a library that was not"
    exit 1
  fi
  if ! printf '%s\n' "$output" | grep 'undefined reference' | grep -q "$2"; then
    printf '%s\n' "$output" | tail -20
    echo "built with $1, it does not link, but nothing says $2"
    exit 1
  fi
}

build alike || exit 1
"$work/alike" || { echo "built as the library was, it fails"; exit 1; }
refused -D_GLIBCXX_DEBUG compile_the_forkful_library_with_GLIBCXX_DEBUG_too
refused -D_GLIBCXX_USE_CXX11_ABI=0 compile_the_forkful_library_with_GLIBCXX_USE_CXX11_ABI_0_too
