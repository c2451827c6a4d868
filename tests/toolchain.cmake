# Checks that need a compiler, a linker or other people's programs, and are the same with and without sanitizers.

# Crashes in inlined functions, in a program that tests/crash_names/run.sh strips of its names step by step.
add_library(crash_names_kitchen OBJECT crash_names/kitchen.cpp)
add_library(crash_names_spoon MODULE crash_names/spoon.cpp)
add_executable(crash_names)
add_executable(crash_names_fixed)
foreach(target IN ITEMS crash_names_kitchen crash_names_spoon)
  target_compile_options(${target} PRIVATE -O2 -g)
endforeach()
target_link_libraries(crash_names_kitchen PRIVATE forkful_testing)
foreach(target IN ITEMS crash_names crash_names_fixed)
  target_link_libraries(${target} PRIVATE crash_names_kitchen forkful_testing)
endforeach()
target_link_options(crash_names_fixed PRIVATE -no-pie)
add_test(NAME crash_names.of_every_build
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/crash_names/run.sh $<TARGET_FILE:crash_names> $<TARGET_FILE:crash_names_fixed>
                 $<TARGET_FILE:crash_names_spoon> ${CMAKE_CURRENT_BINARY_DIR}/crash_names_stripped)
set_tests_properties(crash_names.of_every_build PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})

# Minutes of kills and load (./dev soak); the tests run five seconds of it, so that it cannot rot.
add_executable(soak soak/soak.cpp)
target_include_directories(soak PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(soak PRIVATE forkful_testing GTest::gtest_main)
set_target_properties(soak PROPERTIES CXX_EXTENSIONS OFF)
target_compile_options(soak PRIVATE ${FORKFUL_TEST_OPTIONS})
forkful_warnings(soak)
add_test(NAME soak.five_seconds COMMAND soak --gtest_brief=1)
set_tests_properties(soak.five_seconds PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT}
                                                  ENVIRONMENT FORKFUL_SOAK_MINUTES=0.08)

# Reports in every form, read by programs of other authors: a validator of JSON Schema, and a browser.
find_program(python NAMES /usr/bin/python3 python3)
add_executable(report_samples report/samples.cpp)
target_include_directories(report_samples PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(report_samples PRIVATE forkful_testing)
target_compile_options(report_samples PRIVATE ${FORKFUL_TEST_OPTIONS})
set_target_properties(report_samples PROPERTIES CXX_EXTENSIONS OFF)
forkful_warnings(report_samples)
set(report_files ${CMAKE_CURRENT_BINARY_DIR}/report)
file(MAKE_DIRECTORY ${report_files})
add_test(NAME report.samples COMMAND report_samples ${report_files})
add_test(NAME report.json_is_as_its_schema_says
         COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/report/check_json.py ${PROJECT_SOURCE_DIR}/docs/report.schema.json
                 ${report_files})
add_test(NAME report.traces_nest COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/report/check_trace.py ${report_files})
add_test(NAME report.pages_show_its_numbers
         COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/report/check_page.py ${report_files}
                 ${PROJECT_SOURCE_DIR}/third_party/uplot/uPlot.iife.min.js)
add_test(NAME report.plotting_library_is_as_published COMMAND sh ${PROJECT_SOURCE_DIR}/third_party/uplot/check.sh)
set_tests_properties(report.plotting_library_is_as_published PROPERTIES SKIP_RETURN_CODE 77)
set(report_tests report.json_is_as_its_schema_says report.traces_nest report.pages_show_its_numbers)
set_tests_properties(report.samples PROPERTIES FIXTURES_SETUP report_files)
set_tests_properties(${report_tests} PROPERTIES FIXTURES_REQUIRED report_files)
set_tests_properties(report.samples ${report_tests} report.plotting_library_is_as_published
                     PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})

# The order of the rooms, as HACKING.md has it.
add_test(NAME rooms.include_nothing_above_them COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/rooms/check.py ${PROJECT_SOURCE_DIR})
set_tests_properties(rooms.include_nothing_above_them PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})

# The tool finds all it needs in a shared library, too.
if(TARGET forkful_cli)
  add_test(NAME shared_library.exports_what_the_tool_needs
           COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/shared_library/check.sh $<TARGET_FILE:forkful> $<TARGET_OBJECTS:forkful_cli>
                   $<TARGET_OBJECTS:forkful_race>
           COMMAND_EXPAND_LISTS)
  set_tests_properties(shared_library.exports_what_the_tool_needs PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})
endif()

# What GCC makes of the loops that workers run, where it has whole registers to make it of.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_test(NAME machine_code.loops_are_what_one_would_write_by_hand
           COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/machine_code/check.sh ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}/include
                   ${CMAKE_CURRENT_SOURCE_DIR}/machine_code/loops.cpp ${CMAKE_CURRENT_BINARY_DIR}/machine_code)
  set_tests_properties(machine_code.loops_are_what_one_would_write_by_hand PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})
endif()

# A program whose other headers define small words as macros.
add_executable(macros_program macros/program.cpp)
target_link_libraries(macros_program PRIVATE forkful::forkful)
target_compile_options(macros_program PRIVATE ${FORKFUL_TEST_OPTIONS})
add_test(NAME macros.of_other_headers_are_not_used COMMAND macros_program)
set_tests_properties(macros.of_other_headers_are_not_used PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})

# Programs and library built with macros that change the standard containers.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize|-D_GLIBCXX")
  add_test(NAME mixed_builds.are_refused_by_the_linker
           COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/mixed_builds/run.sh ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}/include
                   ${CMAKE_CURRENT_BINARY_DIR}/mixed_builds $<TARGET_FILE:forkful> ${hwloc_library} ${tbb_library})
  set_tests_properties(mixed_builds.are_refused_by_the_linker PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})
endif()

# Other compilers are asked whether they take every verb over every view, where there are any.
find_program(other_compiler NAMES clang++-19 clang++-16 clang++-17 clang++-18 clang++-20)
mark_as_advanced(other_compiler)
if(other_compiler AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  file(GLOB range_sources CONFIGURE_DEPENDS ranges/*_test.cpp)
  foreach(source IN LISTS range_sources ITEMS ${CMAKE_CURRENT_SOURCE_DIR}/macros/program.cpp)
    cmake_path(GET source STEM name)
    add_test(NAME ranges.other_compiler_takes_${name}
             COMMAND ${other_compiler} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I${PROJECT_SOURCE_DIR}/include
                     -I${CMAKE_CURRENT_SOURCE_DIR} ${source})
    set_tests_properties(ranges.other_compiler_takes_${name} PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})
  endforeach()
endif()

# No system call of the library that can fail goes unwrapped.
add_test(NAME system_calls.all_are_wrapped
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/system_calls/complete.sh ${CMAKE_NM} $<TARGET_FILE:forkful_testing>
                 ${wrapped_calls})
set_tests_properties(system_calls.all_are_wrapped PROPERTIES LABELS toolchain TIMEOUT ${FORKFUL_TEST_TIMEOUT})
