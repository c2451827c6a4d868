#!/bin/sh
# check.sh COMPILER INCLUDE SOURCE FOLDER: every loop of loops.cpp works on four numbers at a time, by hand or from a
# verb.
set -eu
compiler=$1 include=$2 source=$3 folder=$4

mkdir -p "$folder"
"$compiler" -std=c++20 -O3 -march=x86-64-v3 -I "$include" -c "$source" -o "$folder/loops.o"
objdump -d -C --no-show-raw-insn "$folder/loops.o" >"$folder/loops.s"

status=0
doubles='(vadd|vfmadd[0-9]*|vsub)pd.*ymm'
integers='(vpadd[dq]|vpsubq).*ymm'
# expect NAME FUNCTION ADDITION: FUNCTION, whose name as objdump prints it matches, does that with whole AVX2 registers.
expect() {
  found=$(awk -v function_name="$2" -v addition="$3" '
    /^[0-9a-f]+ <.*>:$/ { inside = index($0, function_name) != 0 && ($0 ~ /run\(/ || $0 ~ /by_hand/) }
    inside && $0 ~ addition { ++found }
    END { print found + 0 }' "$folder/loops.s")
  if [ "$found" -eq 0 ]; then
    echo "$1 is no loop over whole registers any more: see $folder/loops.s" >&2
    status=1
  fi
}
expect 'the loop by hand' 'by_hand' "$doubles"
expect 'for_each in place' 'in_place(' "$doubles"
expect 'for_each in place, by spans' 'in_place_by_spans(' "$doubles"
expect 'map_into' 'into(' "$doubles"
expect 'map by copy' ' by_copy(' "$doubles"
expect 'map of integers by copy' 'integers_by_copy(' "$integers"
expect 'map in threads' 'in_threads(' "$doubles"
exit $status
