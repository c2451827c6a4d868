// The ways of the real cake. See kitchen.hpp.
#include "tour/kitchen.hpp"

#include <zlib.h>

#include <array>
#include <new>
#include <utility>

#include "interrupt.hpp"
#include "tour/stopwatch.hpp"

namespace tour {

// show: squeeze
std::string squeeze(std::string_view text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(text.data()),
                text.size(), Z_BEST_COMPRESSION) != Z_OK)
    throw std::bad_alloc();  // the only way it can fail
  packed.resize(size);
  return packed;
}
// end

namespace {

plate in_a_loop(kitchen& /*unused*/, const texts& cake) {
  texts eaten;
  const auto time = time_of([&] {
    // show: in_a_loop
    for (const auto& text : cake) eaten.push_back(squeeze(text));
    // end
  });
  return {std::move(eaten), time};
}

plate by_snapshot(kitchen& here, const texts& cake) {
  texts eaten;
  auto photographed = here.photographed.with(cli::stoppable());
  const auto time = time_of([&] {
    // show: by_snapshot
    eaten = photographed.map(cake, squeeze);  // a snapshot_pool
    // end
  });
  return {std::move(eaten), time, here.photographed.report()};
}

plate by_copy(kitchen& here, const texts& cake) {
  texts eaten;
  auto friends = here.friends.with(cli::stoppable());
  const auto time = time_of([&] {
    // show: by_copy
    eaten = friends.map(cake, squeeze);  // a process_pool
    // end
  });
  return {std::move(eaten), time, here.friends.report()};
}

plate by_update(kitchen& here, const texts& whole) {
  texts cake = whole;
  auto friends = here.friends.with(cli::stoppable());
  const auto time = time_of([&] {
    // show: by_update
    friends.update(cake,
                   [](std::string& text) { text = squeeze(text); });
    // end
  });
  return {std::move(cake), time, here.friends.report()};
}

plate in_place(kitchen& here, const texts& whole) {
  forkful::shared_vector<forkful::shared_string> table(whole);
  auto friends = here.friends.with(cli::stoppable());
  const auto time = time_of([&] {
    // show: in_place
    friends.for_each(table, [](forkful::shared_string& text) {
      text = squeeze(text);  // the table is a shared_vector
    });
    // end
  });
  return {texts(table.begin(), table.end()), time,
          here.friends.report()};
}

}  // namespace

std::span<const way> ways() {
  static constexpr std::array all{
      way{"loop", in_a_loop},
      way{"snapshot, map", by_snapshot},
      way{"process, map", by_copy},
      way{"process, update", by_update},
      way{"process, in place", in_place},
  };
  return all;
}

}  // namespace tour
