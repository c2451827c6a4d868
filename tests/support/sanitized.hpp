// Whether the tests run under AddressSanitizer.
#pragma once

namespace forkful_tests {

// AddressSanitizer makes forks ten times as expensive, takes terabytes of address space, and holds freed memory for a while.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

// How often something is done: less where it takes longer.
constexpr unsigned times(unsigned often) { return sanitized ? (often + 4) / 5 : often; }

}  // namespace forkful_tests
