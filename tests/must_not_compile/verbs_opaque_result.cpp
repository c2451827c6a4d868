// expect: forkful cannot see what its private members or union hold: give it a forkful::codec<T>
// A class with private members needs a codec to come back.
#include <forkful/process_pool.hpp>

class crumbs {
 public:
  explicit crumbs(int n) : n_(n) {}
#ifdef CONTROL
  int count() const { return n_; }
#endif

 private:
  int n_;
};

#ifdef CONTROL
template <>
struct forkful::codec<crumbs> {
  static void write(sink& out, const crumbs& value) { out.write(value.count()); }
  static crumbs read(source& in) { return crumbs(in.read<int>()); }
};
#endif

void run_slice(forkful::process_pool& pool, const std::vector<int>& cake) {
  (void)pool.map(cake, [](int slice) { return crumbs(slice); });
}
