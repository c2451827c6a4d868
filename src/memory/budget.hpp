// How much memory a worker may take beyond what it had when it started, private and shared together (docs/protocol.md, 15).
//
// The kernel watches over private memory (RLIMIT_DATA). Shared blocks are counted here, and lower that limit as they come to
// matter, so that both draw on one figure. Owns the limit of its process. One thread at a time: the arena's lock is held.
#pragma once

#include <cstddef>

namespace forkful::detail {

class memory_budget {
 public:
  // From now on `bytes` more. False if the system does not let this process know or limit what it has.
  bool begin(std::size_t bytes) noexcept;
  [[nodiscard]] bool limited() const noexcept { return limit_ != 0; }

  // Shared memory was taken or given back. take: false if that is more than there may be; then nothing was counted.
  bool take(std::size_t bytes) noexcept;
  void give(std::size_t bytes) noexcept;
  // What was taken until now is the caller's: it counts no more.
  void hand_over() noexcept;

  // While there is one, nothing is refused: to report a failure takes a little memory.
  class lifted {
   public:
    explicit lifted(memory_budget& budget) noexcept;
    lifted(const lifted&) = delete;
    lifted& operator=(const lifted&) = delete;
    ~lifted();

   private:
    memory_budget& budget_;
  };

 private:
  void draw() noexcept;

  std::size_t limit_ = 0;   // 0: none
  std::size_t start_ = 0;   // private bytes when it began
  std::size_t before_ = 0;  // what RLIMIT_DATA was
  std::size_t step_ = 0;    // shared bytes that are too few to change the kernel's limit for
  std::size_t taken_ = 0;   // shared bytes
  std::size_t drawn_ = 0;   // of these, what RLIMIT_DATA was lowered by
  bool lifted_ = false;
};

}  // namespace forkful::detail
