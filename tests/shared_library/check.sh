#!/bin/sh
# check.sh LIBRARY OBJECT...: the tool, made of the OBJECTs, can be linked with the library as a shared one: what it needs of it is
# exported. {fmt} (src/format) it has of its own then.
set -eu
library=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readelf -Ws "$library" | awk '$7 != "UND" && $5 != "LOCAL" && $6 == "HIDDEN" { print $8 }' | grep -v 'of_forkful' | sort -u >"$work/hidden"
nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u >"$work/needed"
nm "$@" | awk '$2 ~ /^[TWVBDRu]$/ { print $3 }' | sort -u >"$work/own"
if [ "$(wc -l <"$work/hidden")" -lt 100 ] || [ "$(wc -l <"$work/needed")" -lt 100 ]; then
  echo "hardly any symbols were found: this test looks at the wrong thing"
  exit 1
fi
if missing=$(comm -12 "$work/hidden" "$work/needed" | comm -23 - "$work/own" | grep .); then
  echo "the tool needs what a shared library keeps to itself:"
  echo "$missing" | c++filt
  exit 1
fi
