#include "names/debug_info.hpp"

#include <dwarf.h>

#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "os/memory.hpp"

namespace forkful::detail {

namespace {

using chain = std::vector<Dwarf_Die>;

// Called by libdw instead of ending the program. Its functions are C, compiled so that an exception passes through them.
[[gnu::noreturn]] void out_of_memory() { throw std::bad_alloc(); }

// The line a function was called from or stands at.
struct source_line {
  std::string file;
  int line = 0;
};

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

// One module.
struct debug_info::view {
 public:
  view(const libdw& dw, const loaded_module& where) : dw_(dw) {
    callbacks_.find_debuginfo = dw.dwfl_build_id_find_debuginfo;
    dwfl_ = dw.dwfl_begin(&callbacks_);
    if (dwfl_ == nullptr) return;
    module_ = report(where);
    if (module_ == nullptr || dw.dwfl_module_getdwarf(module_, &bias_) == nullptr) return;
    Dwarf* const found = dw.dwfl_module_getdwarf(module_, &bias_);
    dw.dwarf_new_oom_handler(found, out_of_memory);
    if (Dwarf* const shared = dw.dwarf_getalt(found); shared != nullptr) {
      dw.dwarf_new_oom_handler(shared, out_of_memory);
    }
    usable_ = true;
  }

  [[nodiscard]] std::vector<debug_frame> at(std::uintptr_t address) {
    std::vector<debug_frame> frames;
    // Where memory runs out while libdw enlarges its tables of abbreviations, it ends the program. What one address takes of
    // it is far less than this.
    constexpr std::size_t plenty = std::size_t{32} << 20;
    if (!usable_ || !may_map(plenty)) return frames;
    Dwarf_Die unit;
    if (!find_unit(address, unit)) return frames;
    const Dwarf_Addr code = address - bias_;
    chain functions;
    // Most functions are children of their unit. What is defined inside a namespace or a class may lie in there, a lambda's
    // in the function around it.
    for (const depth how : {depth::code, depth::scopes, depth::everywhere}) {
      if (find(unit, code, how, functions)) break;
    }
    source_line here;
    if (Dwarf_Line* const line = dw_.dwarf_getsrc_die(&unit, code); line != nullptr) {
      here.file = text_of(dw_.dwarf_linesrc(line, nullptr, nullptr));
      dw_.dwarf_lineno(line, &here.line);
    }
    for (auto function = functions.rbegin(); function != functions.rend(); ++function) {
      frames.push_back(frame_of(*function, std::move(here)));
      here = called_from(*function, unit);
    }
    return frames;
  }

 private:
  enum class depth { code, scopes, everywhere };

  Dwfl_Module* report(const loaded_module& where) const {
    for (const char* const path : where.files()) {
      dw_.dwfl_report_begin(dwfl_);
      Dwfl_Module* const module = dw_.dwfl_report_elf(dwfl_, path, path, -1, where.base, true);
      dw_.dwfl_report_end(dwfl_, nullptr, nullptr);
      if (module != nullptr && build_of(module) == where.build) return module;
    }
    return nullptr;
  }

  // The file may have been replaced by now.
  std::uint64_t build_of(Dwfl_Module* module) const {
    const unsigned char* bits = nullptr;
    GElf_Addr address = 0;
    const int size = dw_.dwfl_module_build_id(module, &bits, &address);
    return size <= 0 ? 0 : digest(std::as_bytes(std::span(bits, static_cast<std::size_t>(size))));
  }

  bool find_unit(std::uintptr_t address, Dwarf_Die& unit) const {
    Dwarf_Addr bias = 0;
    const auto holds = [&](const Dwarf_Die* one) {
      if (one == nullptr) return false;
      unit = *one;
      return dw_.dwarf_haspc(&unit, address - bias_) == 1;
    };
    // Clang writes no table of the units' addresses, so that what is found in it may be the unit before.
    if (holds(dw_.dwfl_module_addrdie(module_, address, &bias))) return true;
    Dwarf_Die* each = nullptr;
    while ((each = dw_.dwfl_module_nextcu(module_, each, &bias)) != nullptr) {
      if (holds(each)) return true;
    }
    return false;
  }

  // Adds the functions around the address, outermost first.
  bool find(Dwarf_Die& parent, Dwarf_Addr code, depth how, chain& functions) const {
    Dwarf_Die die;
    for (int end = dw_.dwarf_child(&parent, &die); end == 0; end = dw_.dwarf_siblingof(&die, &die)) {
      switch (dw_.dwarf_tag(&die)) {
        case DW_TAG_subprogram:
        case DW_TAG_inlined_subroutine:
          if (dw_.dwarf_haspc(&die, code) == 1) {
            functions.push_back(die);
            find(die, code, how, functions);
            return true;
          }
          if (how == depth::everywhere && find(die, code, how, functions)) return true;
          break;
        case DW_TAG_lexical_block:
        case DW_TAG_try_block:
        case DW_TAG_catch_block:
          if ((how == depth::everywhere || dw_.dwarf_haspc(&die, code) == 1) && find(die, code, how, functions)) {
            return true;
          }
          break;
        case DW_TAG_namespace:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
        case DW_TAG_module:
          if (how != depth::code && find(die, code, how, functions)) return true;
          break;
        default:
          break;
      }
    }
    return false;
  }

  debug_frame frame_of(Dwarf_Die& die, source_line at) const {
    debug_frame frame;
    frame.file = std::move(at.file);
    frame.line = at.line;
    Dwarf_Attribute attribute;
    for (const unsigned name : {unsigned{DW_AT_linkage_name}, unsigned{DW_AT_MIPS_linkage_name}}) {
      if (!frame.symbol.empty() || dw_.dwarf_attr_integrate(&die, name, &attribute) == nullptr) continue;
      frame.symbol = text_of(dw_.dwarf_formstring(&attribute));
    }
    Dwarf_Addr entry = 0;
    if (dw_.dwarf_tag(&die) == DW_TAG_subprogram && dw_.dwarf_entrypc(&die, &entry) == 0) frame.entry = entry + bias_;
    if (frame.symbol.empty()) frame.name = qualified(die);
    return frame;
  }

  source_line called_from(Dwarf_Die& inlined, Dwarf_Die& unit) const {
    source_line from;
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0;
    if (dw_.dwarf_formudata(dw_.dwarf_attr(&inlined, DW_AT_call_line, &attribute), &number) != 0) return from;
    from.line = static_cast<int>(number);
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (dw_.dwarf_formudata(dw_.dwarf_attr(&inlined, DW_AT_call_file, &attribute), &number) == 0 &&
        dw_.dwarf_getsrcfiles(&unit, &files, &count) == 0 && number < count) {
      from.file = text_of(dw_.dwarf_filesrc(files, number, nullptr, nullptr));
    }
    return from;
  }

  // Where a function is declared: where its name and the scopes around it are.
  Dwarf_Die declared(Dwarf_Die die) const {
    Dwarf_Attribute attribute;
    // Two steps are usual; damaged files may go round in circles.
    for (int steps = 0; steps < 8; ++steps) {
      Dwarf_Die next;
      if (dw_.dwarf_formref_die(dw_.dwarf_attr(&die, DW_AT_abstract_origin, &attribute), &next) == nullptr &&
          dw_.dwarf_formref_die(dw_.dwarf_attr(&die, DW_AT_specification, &attribute), &next) == nullptr) {
        break;
      }
      die = next;
    }
    return die;
  }

  // The entries around one, outermost first, it included, without the unit. An entry's children come before its sibling.
  chain path_to(Dwarf_Die wanted) const {
    chain path;
    Dwarf_Die unit;
    if (dw_.dwarf_diecu(&wanted, &unit, nullptr, nullptr) == nullptr) return path;
    const Dwarf_Off goal = dw_.dwarf_dieoffset(&wanted);
    Dwarf_Die here;
    for (Dwarf_Die parent = unit; dw_.dwarf_child(&parent, &here) == 0; parent = here) {
      Dwarf_Die next;
      while (dw_.dwarf_siblingof(&here, &next) == 0 && dw_.dwarf_dieoffset(&next) <= goal) here = next;
      path.push_back(here);
      if (dw_.dwarf_dieoffset(&here) == goal) return path;
    }
    return {};
  }

  std::string name_of(Dwarf_Die& die) const {
    Dwarf_Attribute attribute;
    return text_of(dw_.dwarf_formstring(dw_.dwarf_attr_integrate(&die, DW_AT_name, &attribute)));
  }

  // With the scopes around it. A local class lies in its function's code, and that elsewhere than its declaration.
  std::string qualified(Dwarf_Die& die, int deeper = 8) const {
    std::string whole;
    const Dwarf_Die wanted = declared(die);
    for (Dwarf_Die& each : path_to(wanted)) {
      const int tag = dw_.dwarf_tag(&each);
      if (tag == DW_TAG_lexical_block) continue;
      if (tag == DW_TAG_subprogram && each.addr != wanted.addr && deeper > 0) {
        whole = qualified(each, deeper - 1);
        continue;
      }
      std::string name = name_of(each);
      if (name.empty()) name = tag == DW_TAG_namespace ? "(anonymous namespace)" : "<lambda>";
      whole += (whole.empty() ? "" : "::") + name;
    }
    return whole;
  }

  const libdw& dw_;
  Dwfl_Callbacks callbacks_{};
  Dwfl* dwfl_ = nullptr;
  Dwfl_Module* module_ = nullptr;
  Dwarf_Addr bias_ = 0;
  bool usable_ = false;
};

std::vector<debug_frame> debug_info::at(std::uintptr_t address, const loaded_module& where) noexcept {
  if (!dw_) return {};
  try {
    std::shared_ptr<view>& module = views_[{where.path, where.base, where.build}];
    if (module == nullptr) module = std::make_shared<view>(*dw_, where);
    return module->at(address);
  } catch (...) {
    dw_.reset();
    return {};
  }
}

}  // namespace forkful::detail
