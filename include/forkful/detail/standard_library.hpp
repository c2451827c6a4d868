// Whether this file and the compiled library see the same standard library.
//
// Structs with standard containers in them (reports, failures, options) cross between the two. Macros that change what the containers
// look like would make that a crash, or worse: each way of building refers to a name that only a library built the same way
// defines (src/codec/standard_library.cpp), so the linker refuses the mixture, and says why.
#pragma once

#include <cstddef>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

// Two variables of two names, because one name would be merged by the linker with that of a file that was built another way.
#if defined(_GLIBCXX_DEBUG)
extern const char compile_the_forkful_library_with_GLIBCXX_DEBUG_too;
[[gnu::used]] inline const char* const built_with_debug_containers =
    &compile_the_forkful_library_with_GLIBCXX_DEBUG_too;
#else
extern const char compile_the_forkful_library_without_GLIBCXX_DEBUG_too;
[[gnu::used]] inline const char* const built_with_plain_containers =
    &compile_the_forkful_library_without_GLIBCXX_DEBUG_too;
#endif

#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
extern const char compile_the_forkful_library_with_GLIBCXX_USE_CXX11_ABI_0_too;
[[gnu::used]] inline const char* const built_with_old_strings =
    &compile_the_forkful_library_with_GLIBCXX_USE_CXX11_ABI_0_too;
#else
extern const char compile_the_forkful_library_without_GLIBCXX_USE_CXX11_ABI_0_too;
[[gnu::used]] inline const char* const built_with_new_strings =
    &compile_the_forkful_library_without_GLIBCXX_USE_CXX11_ABI_0_too;
#endif

#if defined(__GLIBCXX__)
extern const char compile_the_forkful_library_with_libstdcxx_too;
[[gnu::used]] inline const char* const built_with_libstdcxx = &compile_the_forkful_library_with_libstdcxx_too;
#else
extern const char compile_the_forkful_library_with_the_same_standard_library;
[[gnu::used]] inline const char* const built_with_another_standard_library =
    &compile_the_forkful_library_with_the_same_standard_library;
#endif

}  // namespace detail
}  // namespace forkful
