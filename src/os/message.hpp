// Small messages between processes over a SOCK_SEQPACKET pair, with descriptors travelling along. Owns nothing.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "os/fd.hpp"

namespace forkful::detail {

// How many descriptors a message carries at most.
constexpr std::size_t carried = 2;

// Sends one message whole. The descriptors stay open here; until they are received they count against a limit that all programs of
// this user share (ETOOMANYREFS). False with errno set on failure (EPIPE: the other end is closed). Raises no signal.
bool send_message(int socket, const void* data, std::size_t bytes, std::span<const int> descriptors) noexcept;

enum class received { message, closed, nothing };

// Takes one message of exactly `bytes`; the `carried` descriptors that came along are put into `descriptors`, if not null. Waits at most `milliseconds`
// (negative: for ever), else `nothing`. `closed` also when the message is not as it should be.
received receive_message(int socket, void* data, std::size_t bytes, std::array<fd, carried>* descriptors,
                         int milliseconds) noexcept;

}  // namespace forkful::detail
