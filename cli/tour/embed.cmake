# cmake -DFROM=DIRECTORY -DTO=FILE.cpp -P embed.cmake: collects every passage of the sources that the tour shows.
#
# A passage lies between a line "// show: NAME" and a line "// end". No lists: code is full of semicolons.
file(GLOB sources ${FROM}/*.cpp ${FROM}/*.hpp)
list(SORT sources)

set(passages "")
foreach(source IN LISTS sources)
  file(READ "${source}" rest)
  while("${rest}" MATCHES "\n *// show: ([a-z_]+)\n")
    set(head "${CMAKE_MATCH_0}")
    set(name "${CMAKE_MATCH_1}")
    string(FIND "${rest}" "${head}" begin)
    string(LENGTH "${head}" length)
    math(EXPR begin "${begin} + ${length}")
    string(SUBSTRING "${rest}" ${begin} -1 rest)
    if(NOT "${rest}" MATCHES "\n *// end\n")
      message(FATAL_ERROR "${source}: the passage '${name}' has no // end")
    endif()
    string(FIND "${rest}" "${CMAKE_MATCH_0}" end)
    string(SUBSTRING "${rest}" 0 ${end} passage)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(APPEND passages "    {\"${name}\", R\"passage(${passage}\n)passage\"},\n")
  endwhile()
endforeach()

file(WRITE "${TO}" "// Made by embed.cmake from the sources of the tour's steps.\n\
#include \"tour/shown.hpp\"\n\n\
namespace tour::detail {\n\n\
const passage passages[] = {\n${passages}};\n\
const std::size_t passage_count = sizeof(passages) / sizeof(passages[0]);\n\n\
}  // namespace tour::detail\n")
