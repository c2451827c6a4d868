#!/bin/sh
# run.sh PROGRAM EXPECTED: the program must succeed and, if the file EXPECTED exists, print exactly that.
output=$1.out
"$1" >"$output"
status=$?
if [ $status -ne 0 ]; then
  cat "$output"
  echo "$1: ended with status $status"
  exit 1
fi
if [ -e "$2" ] && ! diff -u "$2" "$output"; then
  echo "$1: prints something else than the page says (- page, + program)"
  exit 1
fi
