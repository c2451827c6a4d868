#include "names/symbols.hpp"

#include <errno.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>

#include "errors/readable.hpp"
#include "format/fmt.hpp"
#include "names/debug_info.hpp"
#include "names/modules.hpp"
#include "names/symbol_table.hpp"
#include "os/identity.hpp"
#include "os/stack.hpp"

namespace forkful::detail {

namespace {

bool is_system(std::string_view module) {
  constexpr std::array<std::string_view, 8> known{"libc.so",    "libstdc++.so", "libgcc_s.so", "ld-linux",
                                                  "linux-vdso", "libasan.so",   "libubsan.so", "libpthread.so"};
  for (const std::string_view prefix : known) {
    if (module.starts_with(prefix)) return true;
  }
  return false;
}

// Whether a name, mangled or not, is of this namespace.
bool is_in(std::string_view name, std::string_view mangled, std::string_view plain) {
  if (!name.starts_with("_Z")) return name.starts_with(plain);
  name.remove_prefix(2);
  while (name.starts_with('Z')) name.remove_prefix(1);  // a local one of a function
  if (name.starts_with('N')) name.remove_prefix(1);
  while (!name.empty() && (name[0] == 'K' || name[0] == 'V' || name[0] == 'R' || name[0] == 'O')) name.remove_prefix(1);
  return name.starts_with(mangled);
}

// Where the bracket that opens at a place is closed; npos: nowhere.
std::size_t closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// "lambda(int) in main" for what the demangler calls main::{lambda(int)#1}::operator()(int) const, and "lambda in main" for
// main::<lambda>::operator(), as debug_info gives it, and for Clang's main::$_0::operator().
std::string readable_lambda(const std::string& name) {
  constexpr std::string_view mangled = "{lambda(";
  constexpr std::string_view local = "<lambda>";
  constexpr std::string_view numbered = "$_";
  std::size_t at = name.rfind(mangled);
  std::string lambda = "lambda";
  std::string_view rest;
  if (at != std::string::npos) {
    const std::size_t open = at + mangled.size() - 1;
    const std::size_t close = closing(name, open);
    const std::size_t end = name.find('}', close);
    if (close == std::string::npos || end == std::string::npos) return name;
    lambda += std::string_view{name}.substr(open, close + 1 - open);
    rest = std::string_view{name}.substr(end + 1);
  } else {
    std::size_t end = at = name.rfind(local);
    if (at != std::string::npos) {
      end += local.size();
    } else {
      at = name.rfind(numbered);
      end = name.find_first_not_of("0123456789", at == std::string::npos ? at : at + numbered.size());
    }
    // Of a class that has no name and lies nowhere, as far as -g1 says.
    if (name == "operator()" || name.starts_with("operator()<")) return lambda;
    if (at == std::string::npos) return name;
    rest = std::string_view{name}.substr(std::min(end, name.size()));
  }
  if (!rest.empty() && !rest.starts_with("::operator()") && !rest.starts_with("::_FUN")) return name;
  std::string outer = name.substr(0, at);
  if (outer.starts_with("auto ")) outer.erase(0, 5);
  if (outer.ends_with("::")) outer.erase(outer.size() - 2);
  return outer.empty() ? lambda : lambda + " in " + outer;
}

// The callable of one of our plans, which has swallowed it: the third of the type's arguments. Empty: it is none.
std::string callable_in(const std::string& name) {
  constexpr std::string_view plan = "forkful::detail::plan<";
  std::size_t begin = name.find(plan);
  if (begin == std::string::npos) return {};
  begin += plan.size();
  int depth = 0;
  int argument = 1;
  for (std::size_t i = begin; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == '}') --depth;
    if (depth < 0) return {};
    if (c != ',' || depth != 0) continue;
    if (argument == 3) {
      std::string type = name.substr(begin, i - begin);
      return type.find("(*)") == std::string::npos ? type : "";
    }
    ++argument;
    begin = i + 2;
  }
  return {};
}

std::string function_name(std::string symbol) {
  // What the compiler split off: "run.cold", "run(int) [clone .cold]".
  const bool mangled = symbol.starts_with("_Z");
  if (mangled) symbol = readable(symbol.c_str());
  const bool plain = !mangled && symbol.find('<') == std::string::npos;
  symbol.erase(std::min(symbol.find(plain ? "." : " [clone "), symbol.size()));
  return readable_lambda(symbol);
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class namer {
 public:
  void name(std::uintptr_t address, std::vector<code_name>& names) {
    const std::lock_guard one_at_a_time(mutex_);
    const loaded_module where = module_at(address);
    constexpr std::size_t most = 4096;
    if (known_.size() > most) known_.clear();
    auto& known = known_[{address, where.build, where.path}];
    if (known.empty()) known = name_new(address, where);
    names.insert(names.end(), known.begin(), known.end());
  }

 private:
  std::vector<code_name> name_new(std::uintptr_t address, const loaded_module& where) {
    const std::string file = last_part(where.path);
    if (!where.found) return {{.text = fmt::format("{:#x}", address)}};
    const bool system = is_system(file);
    const bool ours = file.starts_with("libforkful.so");
    std::vector<code_name> names;
    // The C library's own lines would help no user, and take long to read.
    if (!system) {
      for (debug_frame& frame : debug_info_.at(address, where)) {
        std::string symbol = std::move(frame.symbol);
        if (symbol.empty() && frame.entry != 0) symbol = symbol_at(frame.entry, where);
        if (symbol.empty()) symbol = std::move(frame.name);
        names.push_back(named(symbol, false));
        code_name& name = names.back();
        if (frame.line > 0 && !frame.file.empty()) {
          name.place = fmt::format("{}:{}", last_part(frame.file), frame.line);
        }
        // With -g1 what is static has lost its scope; its file shows which library it belongs to.
        name.system = name.system || frame.file.find("/include/c++/") != std::string::npos;
        name.ours = name.ours || frame.file.find("/forkful/detail/") != std::string::npos;
        name.installed = frame.file.starts_with("/usr/") || frame.file.starts_with("/opt/");
        // The half of a function that GCC split off, inlined into the other half again.
        if (names.size() > 1) {
          const code_name& before = names[names.size() - 2];
          if (before.text == name.text && before.place == name.place) names.pop_back();
        }
      }
    }
    if (names.empty()) {
      const std::string symbol = symbol_at(address, where);
      if (!symbol.empty()) {
        names.push_back(named(symbol, system));
        names.back().callable = readable_lambda(callable_in(names.back().text));
      }
    }
    if (names.empty()) {
      const std::string shown = where.path.empty() ? program_invocation_short_name : file;
      names.push_back({.text = fmt::format("{}+{:#x}", shown, address - where.base), .system = system});
    }
    for (code_name& name : names) name.ours = name.ours || ours;
    return names;
  }

  static code_name named(const std::string& symbol, bool system) {
    const bool library = is_in(symbol, "St", "std::") || is_in(symbol, "9__gnu_cxx", "__gnu_cxx::");
    return {.text = function_name(symbol),
            .system = system || library,
            .ours = is_in(symbol, "7forkful6detail", "forkful::detail::")};
  }

  std::mutex mutex_;
  debug_info debug_info_;
  std::map<std::tuple<std::uintptr_t, std::uint64_t, std::string>, std::vector<code_name>> known_;
};

// A forked child must not go on with a namer that another thread may have been using, so each process makes its own. Never
// destroyed: threads may still be in it when the program ends.
namer& namer_of_this_process() {
  struct owned {
    std::uint64_t owner;
    namer names;
  };
  static std::atomic<owned*> current{nullptr};
  const std::uint64_t me = this_process();
  // acquire, and release below: a thread that sees it sees it made.
  owned* now = current.load(std::memory_order_acquire);
  while (now == nullptr || now->owner != me) {
    auto made = std::make_unique<owned>();
    made->owner = me;
    if (current.compare_exchange_strong(now, made.get(), std::memory_order_acq_rel)) now = made.release();
  }
  return now->names;
}

}  // namespace

// On a stack of forkful's own if the caller's thread was given a small one: libdw takes what it needs from the stack (alloca). Where no
// thread can be started there are no names.
std::vector<code_name> name_code(std::span<const std::uintptr_t> addresses) {
  constexpr std::size_t enough = std::size_t{1} << 20;
  std::vector<code_name> names;
  std::exception_ptr thrown;
  const auto name_all = [&]() noexcept {
    try {
      for (const std::uintptr_t address : addresses) namer_of_this_process().name(address, names);
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  bool done = true;
  if (stack_left() >= enough) {
    name_all();
  } else {
    done = run_on_large_stack(name_all);
  }
  if (thrown != nullptr) std::rethrow_exception(thrown);
  for (const std::uintptr_t address : done ? std::span<const std::uintptr_t>() : addresses) {
    names.push_back({.text = fmt::format("{:#x}", address)});
  }
  return names;
}

}  // namespace forkful::detail
