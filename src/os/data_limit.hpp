// The private memory of this process: how much there is, and the limit on it (RLIMIT_DATA). Owns nothing.
#pragma once

#include <cstddef>

namespace forkful::detail {

// Bytes of private writable memory, as the limit counts them (VmData: mapped, not only touched). 0: /proc does not say.
std::size_t private_data() noexcept;
// Bytes of private memory that are there because they were touched (RssAnon). 0: /proc does not say.
std::size_t touched_private_memory() noexcept;

std::size_t data_limit() noexcept;  // SIZE_MAX if there is none
// Sets the limit to so much, or as much as the hard limit allows. False if the system refuses.
bool limit_data(std::size_t bytes) noexcept;

}  // namespace forkful::detail
