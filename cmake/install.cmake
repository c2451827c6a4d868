# Headers, library, CMake package and pkg-config file. All of them work from wherever the prefix is moved to.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/forkful)
install(TARGETS forkful EXPORT forkful FILE_SET HEADERS)
install(EXPORT forkful NAMESPACE forkful:: FILE forkfulConfig.cmake DESTINATION ${package_dir})
write_basic_package_version_file(forkfulConfigVersion.cmake COMPATIBILITY SameMajorVersion)

file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
# A static library brings its dependencies to whoever links it.
set(pc_requires Requires)
set(pc_threads "-Wl,--as-needed,-ltbb,--no-as-needed")
if(BUILD_SHARED_LIBS)
  set(pc_requires Requires.private)
  set(pc_threads)
endif()
configure_file(cmake/forkful.pc.in forkful.pc @ONLY)

install(FILES ${PROJECT_BINARY_DIR}/forkfulConfigVersion.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/forkful.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES third_party/uplot/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.uPlot)
if(TARGET forkful_cli)
  install(TARGETS forkful_cli)
endif()
