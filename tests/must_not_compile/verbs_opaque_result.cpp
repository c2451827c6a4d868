// expect: forkful cannot see what its private members or union hold: give it a forkful::codec<T>
// A class with private members needs a codec to come back.
#include <forkful/process_pool.hpp>

class counted {
 public:
  explicit counted(int n) : n_(n) {}
#ifdef CONTROL
  int count() const { return n_; }
#endif

 private:
  int n_;
};

#ifdef CONTROL
template <>
struct forkful::codec<counted> {
  static void write(sink& out, const counted& value) { out.write(value.count()); }
  static counted read(source& in) { return counted(in.read<int>()); }
};
#endif

void run_slice(forkful::process_pool& pool, const std::vector<int>& input) {
  (void)pool.map(input, [](int slice) { return counted(slice); });
}
