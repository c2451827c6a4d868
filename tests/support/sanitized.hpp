// Whether the tests run under AddressSanitizer.
#pragma once

namespace forkful_tests {

// AddressSanitizer makes forks ten times as dear, takes terabytes of address space, and keeps what was freed for a while.
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
