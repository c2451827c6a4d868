// elfutils' libdw, which reads debug information. Loaded when the first worker has crashed, for it costs a program that
// is linked with it and its four libraries 0.4 ms at the start and 40 us in every fork. Where it is missing, names come
// without lines.
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <optional>

namespace forkful::detail {

// The functions used here, under their own names.
struct libdw {
  decltype(&::dwfl_begin) dwfl_begin;
  decltype(&::dwfl_report_begin) dwfl_report_begin;
  decltype(&::dwfl_report_elf) dwfl_report_elf;
  decltype(&::dwfl_report_end) dwfl_report_end;
  decltype(&::dwfl_build_id_find_debuginfo) dwfl_build_id_find_debuginfo;
  decltype(&::dwfl_module_build_id) dwfl_module_build_id;
  decltype(&::dwfl_module_getdwarf) dwfl_module_getdwarf;
  decltype(&::dwfl_module_addrdie) dwfl_module_addrdie;
  decltype(&::dwfl_module_nextcu) dwfl_module_nextcu;
  decltype(&::dwarf_new_oom_handler) dwarf_new_oom_handler;
  decltype(&::dwarf_getalt) dwarf_getalt;
  decltype(&::dwarf_child) dwarf_child;
  decltype(&::dwarf_siblingof) dwarf_siblingof;
  decltype(&::dwarf_tag) dwarf_tag;
  decltype(&::dwarf_dieoffset) dwarf_dieoffset;
  decltype(&::dwarf_haspc) dwarf_haspc;
  decltype(&::dwarf_entrypc) dwarf_entrypc;
  decltype(&::dwarf_diecu) dwarf_diecu;
  decltype(&::dwarf_attr) dwarf_attr;
  decltype(&::dwarf_attr_integrate) dwarf_attr_integrate;
  decltype(&::dwarf_formref_die) dwarf_formref_die;
  decltype(&::dwarf_formstring) dwarf_formstring;
  decltype(&::dwarf_formudata) dwarf_formudata;
  decltype(&::dwarf_getsrc_die) dwarf_getsrc_die;
  decltype(&::dwarf_lineno) dwarf_lineno;
  decltype(&::dwarf_linesrc) dwarf_linesrc;
  decltype(&::dwarf_getsrcfiles) dwarf_getsrcfiles;
  decltype(&::dwarf_filesrc) dwarf_filesrc;

  // Nothing where it cannot be had: not installed, or the program is one that cannot load anything. Never unloaded.
  static std::optional<libdw> load() noexcept;
};

}  // namespace forkful::detail
