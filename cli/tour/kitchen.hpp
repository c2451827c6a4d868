// Every way to compress texts: the same work, passed to friends differently.
#pragma once

#include <chrono>
#include <forkful/process_pool.hpp>
#include <forkful/report.hpp>
#include <forkful/snapshot_pool.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tour {

using texts = std::vector<std::string>;

/// The text, compressed by zlib as far as it goes.
std::string squeeze(std::string_view text);

/// What came of one way, once.
struct plate {
  texts eaten;
  std::chrono::nanoseconds time{0};  ///< of the verb alone
  forkful::report happened{};        ///< empty for the loop
};

/// The friends, one for every CPU. They are invited before anything is
/// measured; only snapshots are taken anew each time, as is their way.
struct kitchen {
  forkful::process_pool friends{{.record_timeline = true}};
  forkful::snapshot_pool photographed{};
};

struct way {
  std::string_view name;
  plate (*eat)(kitchen&, const texts& cake);
};

/// The loop comes first: it is what the others are compared with.
std::span<const way> ways();

}  // namespace tour
