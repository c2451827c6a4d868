# Embeds the report's page: styles and scripts of src/report/page/ and the plotting library become two strings. Done while
# configuring, because all of it changes rarely and two libraries need it.
set(page_styles third_party/uplot/uPlot.min.css src/report/page/page.css)
set(page_scripts third_party/uplot/uPlot.iife.min.js)
foreach(name IN ITEMS values pattern timeline memory time estimate curve page)
  list(APPEND page_scripts src/report/page/${name}.js)
endforeach()

function(forkful_page_string name result)
  set(text "")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} content)
    string(APPEND text "${content}\n")
  endforeach()
  set(${result} "extern const std::string_view ${name};\nconst std::string_view ${name} = R\"embedded(${text})embedded\";\n\n" PARENT_SCOPE)
endfunction()

file(READ third_party/uplot/LICENSE licence)
forkful_page_string(page_style style ${page_styles})
forkful_page_string(page_script script ${page_scripts})
string(REPLACE "R\"embedded(" "R\"embedded(/*\n${licence}*/\n" script "${script}")

set(page_source ${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp)
file(WRITE ${page_source}.new "// Made by cmake/page.cmake from src/report/page/.\n#include <string_view>\n\n\
namespace forkful::detail {\n\n${style}${script}}  // namespace forkful::detail\n")
file(COPY_FILE ${page_source}.new ${page_source} ONLY_IF_DIFFERENT)
