#include "names/libdw.hpp"

#include <dlfcn.h>

#include "names/modules.hpp"

namespace forkful::detail {

namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, libdw& all) {
  return find(library, "dwfl_begin", all.dwfl_begin) && find(library, "dwfl_report_begin", all.dwfl_report_begin) &&
         find(library, "dwfl_report_elf", all.dwfl_report_elf) &&
         find(library, "dwfl_report_end", all.dwfl_report_end) &&
         find(library, "dwfl_build_id_find_debuginfo", all.dwfl_build_id_find_debuginfo) &&
         find(library, "dwfl_module_build_id", all.dwfl_module_build_id) &&
         find(library, "dwfl_module_getdwarf", all.dwfl_module_getdwarf) &&
         find(library, "dwfl_module_addrdie", all.dwfl_module_addrdie) &&
         find(library, "dwfl_module_nextcu", all.dwfl_module_nextcu) &&
         find(library, "dwarf_new_oom_handler", all.dwarf_new_oom_handler) &&
         find(library, "dwarf_getalt", all.dwarf_getalt) && find(library, "dwarf_child", all.dwarf_child) &&
         find(library, "dwarf_siblingof", all.dwarf_siblingof) && find(library, "dwarf_tag", all.dwarf_tag) &&
         find(library, "dwarf_dieoffset", all.dwarf_dieoffset) && find(library, "dwarf_haspc", all.dwarf_haspc) &&
         find(library, "dwarf_entrypc", all.dwarf_entrypc) && find(library, "dwarf_diecu", all.dwarf_diecu) &&
         find(library, "dwarf_attr", all.dwarf_attr) &&
         find(library, "dwarf_attr_integrate", all.dwarf_attr_integrate) &&
         find(library, "dwarf_formref_die", all.dwarf_formref_die) &&
         find(library, "dwarf_formstring", all.dwarf_formstring) &&
         find(library, "dwarf_formudata", all.dwarf_formudata) &&
         find(library, "dwarf_getsrc_die", all.dwarf_getsrc_die) && find(library, "dwarf_lineno", all.dwarf_lineno) &&
         find(library, "dwarf_linesrc", all.dwarf_linesrc) &&
         find(library, "dwarf_getsrcfiles", all.dwarf_getsrcfiles) && find(library, "dwarf_filesrc", all.dwarf_filesrc);
}

}  // namespace

std::optional<libdw> libdw::load() noexcept {
  // A program that is linked statically would get a second C library with it.
  if (wholly_static()) return {};
  libdw all{};
  void* const library = ::dlopen("libdw.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr || !find_all(library, all)) return {};
  return all;
}

}  // namespace forkful::detail
