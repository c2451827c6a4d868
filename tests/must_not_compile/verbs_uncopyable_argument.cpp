// expect: submit keeps its arguments until the call runs, and this one cannot be copied
// A struct of handles is moved in.
#include <forkful/process_pool.hpp>

struct kitchen {
  forkful::shared_vector<int> tables;
};

void one(forkful::process_pool& pool, kitchen& all) {
  const auto count = [](const kitchen& k) { return k.tables.size(); };
#ifdef CONTROL
  auto call = pool.submit(count, std::move(all));
#else
  auto call = pool.submit(count, all);
#endif
}
