// The names that say how this library was built; see the header.
#include <forkful/detail/standard_library.hpp>

namespace forkful::detail {

#if defined(_GLIBCXX_DEBUG)
const char compile_the_forkful_library_with_GLIBCXX_DEBUG_too = 0;
#else
const char compile_the_forkful_library_without_GLIBCXX_DEBUG_too = 0;
#endif

#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
const char compile_the_forkful_library_with_GLIBCXX_USE_CXX11_ABI_0_too = 0;
#else
const char compile_the_forkful_library_without_GLIBCXX_USE_CXX11_ABI_0_too = 0;
#endif

#if defined(__GLIBCXX__)
const char compile_the_forkful_library_with_libstdcxx_too = 0;
#else
const char compile_the_forkful_library_with_the_same_standard_library = 0;
#endif

}  // namespace forkful::detail
