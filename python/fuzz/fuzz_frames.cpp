// Reads damaged frames (python/core/frame.hpp): mutations of valid ones, for so many seconds, with a seed that is told.
//
//   fuzz_frames [SECONDS [SEED]]
//
// Nothing that is pickled is loaded, since pickle believes everything: `loads` is replaced by len. What is left must raise or give a
// value, and touch no memory but the frame's; AddressSanitizer watches.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "../core/frame_reader.hpp"
#include "../core/frame_writer.hpp"
#include "../core/python_side.hpp"

namespace {

using namespace forkful::python;

const char* const program = R"(
import datetime, decimal
class Plain:
    def __init__(self, **members): self.__dict__.update(members)
class Shipper:
    def dumps(self, value, apart):
        import pickle
        return pickle.dumps(value, 5, buffer_callback=apart.append)
    def plain_class(self, cls): return cls is Plain
    def exception(self, error): return b'error'
def find_class(module, name):
    import importlib
    at = importlib.import_module(module)
    for part in name.split('.'): at = getattr(at, part)
    return at
def loads(view, apart=()): return [len(view), [bytes(one)[:1] for one in apart]] * 3
def load_exception(view): return ValueError(len(view))
values = [None, True, 1, -2 ** 40, 1.5, 'abc', '\xe9', '\u20ac', '\U0001f600', b'bytes', (1, (2, 'x')), [1, [2, [3]]],
          {'a': 1, 'b': {'c': []}}, {1, 'a'}, frozenset({1, (2, 3)}), Plain(a=1, b=[Plain(c='x')]), [Plain(), Plain(z=None)],
          decimal.Decimal(1), bytearray(b'buffer' * 20), [bytearray(b'x' * 200), 7], datetime.date(2000, 1, 1)]
)";

PyObject* global(PyObject* names, const char* name) { return PyDict_GetItemString(names, name); }

std::vector<char> frame_of(PyObject* values, PyObject* shipper, std::mt19937_64& random) {
  frame_writer writer(random() % 2 == 0);
  writer.use(shipper);
  const std::size_t count = 1 + random() % 6;
  writer.begin(count);
  for (std::size_t i = 0; i != count; ++i) {
    const auto at = static_cast<Py_ssize_t>(random() % static_cast<std::size_t>(PyList_GET_SIZE(values)));
    if (!writer.put(PyList_GET_ITEM(values, at), random() % 2 == 0)) std::abort();
  }
  if (!writer.finish()) std::abort();
  std::vector<char> bytes(writer.size());
  writer.write(bytes.data());
  return bytes;
}

void mutate(std::vector<char>& frame, std::mt19937_64& random) {
  for (std::size_t left = random() % 5; left != 0; --left) {
    const std::size_t at = random() % frame.size();
    switch (random() % 5) {
      case 0:
        frame[at] = static_cast<char>(random());
        break;
      case 1:
        frame[at] = static_cast<char>(frame[at] ^ (1 << random() % 8));
        break;
      case 2: {
        const std::uint64_t numbers[] = {
            0, 1, ~0ULL, 0x7fffffffffffffff, 0xffffffff, frame.size(), random() % frame.size()};
        std::memcpy(&frame[at], &numbers[random() % 7],
                    std::min<std::size_t>(frame.size() - at, random() % 2 == 0 ? 4 : 8));
        break;
      }
      case 3:
        std::memmove(&frame[at], &frame[random() % (at + 1)], std::min<std::size_t>(frame.size() - at, random() % 16));
        break;
      default:
        frame.resize(1 + random() % frame.size());
    }
  }
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 1 ? std::atof(words[1]) : 3;
  const std::uint64_t seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  Py_InitializeEx(0);
  PyObject* const names = PyModule_GetDict(PyImport_AddModule("__main__"));
  const owned ran(PyRun_String(program, Py_file_input, names, names));
  if (!ran) {
    PyErr_Print();
    return 2;
  }
  shipping.loads = global(names, "loads");
  shipping.find_class = global(names, "find_class");
  const owned shipper(PyObject_CallNoArgs(global(names, "Shipper")));
  std::mt19937_64 random(seed);
  std::size_t frames = 0, read = 0, refused = 0;
  std::uint64_t sum = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (frames == 0 || std::chrono::steady_clock::now() < end) {
    std::vector<char> frame = frame_of(global(names, "values"), shipper.get(), random);
    if (frames++ % 16 != 0) mutate(frame, random);
    // Of exactly its length, so that what is read behind it is seen.
    const std::unique_ptr<char[]> bytes(new char[frame.size()]);
    std::memcpy(bytes.get(), frame.data(), frame.size());
    frame_reader reader;
    const std::size_t values = reader.open(bytes.get(), frame.size()) ? reader.values() : 0;
    for (const std::uint64_t pin : reader.pins()) sum += pin;
    for (std::size_t i = 0; i < values + 1 && i < 20; ++i) {
      origin came = origin::returned;
      const owned value(reader.get(i, global(names, "load_exception"), random() % 2 == 0 ? &came : nullptr));
      const owned text(value ? PyObject_Repr(value.get()) : nullptr);
      ++(value ? read : refused);
      PyErr_Clear();
    }
  }
  std::printf("%zu frames, %zu values read, %zu refused, pins %llx\n", frames, read, refused,
              static_cast<unsigned long long>(sum));
  return read > 0 && refused > 0 ? 0 : 1;
}
