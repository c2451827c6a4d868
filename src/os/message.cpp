#include "os/message.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "os/readiness.hpp"

namespace forkful::detail {

namespace {

struct room_for_descriptors {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(carried * sizeof(int))> bytes{};
};

}  // namespace

bool send_message(int socket, const void* data, std::size_t bytes, std::span<const int> descriptors) noexcept {
  iovec piece{const_cast<void*>(data), bytes};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  room_for_descriptors room;
  if (!descriptors.empty()) {
    message.msg_control = room.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes);
}

received receive_message(int socket, void* data, std::size_t bytes, std::array<fd, carried>* descriptors,
                         int milliseconds) noexcept {
  if (milliseconds >= 0) {
    const readiness there = wait_readable(socket, milliseconds);
    if (there != readiness::ready) return there == readiness::not_yet ? received::nothing : received::closed;
  }
  iovec piece{data, bytes};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  room_for_descriptors room;
  message.msg_control = room.bytes.data();
  message.msg_controllen = descriptors != nullptr ? room.bytes.size() : 0;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  std::size_t taken = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || descriptors == nullptr) continue;
    for (std::size_t at = 0; CMSG_LEN((at + 1) * sizeof(int)) <= header->cmsg_len && taken < carried; ++at) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + at * sizeof(int), sizeof(int));
      (*descriptors)[taken++] = fd::moved_high(number);
    }
  }
  const bool whole = got == static_cast<ssize_t>(bytes) && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
                     (descriptors == nullptr || taken == carried);
  return whole ? received::message : received::closed;
}

}  // namespace forkful::detail
