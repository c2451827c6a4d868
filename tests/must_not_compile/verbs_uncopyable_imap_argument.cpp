// expect: imap keeps its arguments until its last result, and this one cannot be copied
// A struct of handles is moved in.
#include <forkful/thread_pool.hpp>

struct lookup {
  forkful::shared_vector<int> tables;
};

void all(forkful::thread_pool& pool, lookup& one) {
  const auto count = [](std::size_t, const lookup& k) { return k.tables.size(); };
#ifdef CONTROL
  auto results = pool.imap(forkful::indices(3), count, std::move(one));
#else
  auto results = pool.imap(forkful::indices(3), count, one);
#endif
}
