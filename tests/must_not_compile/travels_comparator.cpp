// expect: its comparator or hash has state that would be lost: use a stateless function object
// A set ordered by a function pointer would come back without an order.
#include <forkful/codec.hpp>
#include <functional>
#include <set>

#ifdef CONTROL
using order = std::greater<>;
#else
using order = bool (*)(int, int);
#endif

void send(forkful::sink& out, const std::set<int, order>& values) { out.write(values); }
