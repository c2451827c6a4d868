#!/bin/sh
# run.sh FILE COMPILER [FLAGS]: passes if the compiler refuses FILE for the right reason.
#
# The first line of FILE is `// expect: SENTENCE`, and an error must contain that sentence. With -DCONTROL the same file
# takes the way out that the sentence names, and must compile: so a typing error cannot pass for a refusal.
file=$1
shift
export LC_ALL=C

expected=$(sed -n '1s,^// expect: *,,p' "$file")
if [ -z "$expected" ]; then
  echo "$file: the first line must be: // expect: SENTENCE"
  exit 1
fi

set -- "$@" -std=c++20 -fsyntax-only -fdiagnostics-color=never "$file"
if ! output=$("$@" -DCONTROL 2>&1); then
  printf '%s\n' "$output"
  echo "$file: does not compile with -DCONTROL either, so the refusal below CONTROL proves nothing"
  exit 1
fi
if output=$("$@" 2>&1); then
  echo "$file: compiles, but should be refused with: $expected"
  exit 1
fi
if ! printf '%s\n' "$output" | grep 'error:' | grep -qF -- "$expected"; then
  printf '%s\n' "$output"
  echo "$file: is refused, but no error says: $expected"
  exit 1
fi
printf '%s\n' "$output" | grep 'error:'
