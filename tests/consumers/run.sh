#!/bin/sh
# run.sh WAY SOURCE BUILD WORK CMAKE COMPILER: plays a user who gets at forkful by WAY, in the directory WORK.
#
# The installed prefix is moved after the installation: package files must not remember where they were built.
set -eu
way=$1 source=$2 build=$3 work=$4 cmake=$5 compiler=$6
here=$source/tests/consumers
prefix=$work/prefix
flags='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'

# build_and_run CMAKE_ARGUMENT...
build_and_run() {
  rm -rf "$work/$way"
  "$cmake" -G Ninja -S "$here/$way" -B "$work/$way" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" "$@"
  "$cmake" --build "$work/$way"
  "$work/$way/consumer"
}

case $way in
  install)
    rm -rf "$prefix" "$prefix.first"
    "$cmake" --install "$build" --prefix "$prefix.first"
    mv "$prefix.first" "$prefix"
    ;;
  find_package) build_and_run -DCMAKE_PREFIX_PATH="$prefix" ;;
  # The shared library this time: a symbol that is not exported shows here.
  add_subdirectory) build_and_run -DBUILD_SHARED_LIBS=ON -DFORKFUL_SOURCE="$source" ;;
  pkg_config)
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name forkful.pc)")
    export PKG_CONFIG_PATH
    "$compiler" -std=c++20 $flags "$here/consumer.cpp" -o "$work/pkg_config_consumer" $(pkg-config --cflags --libs forkful)
    "$work/pkg_config_consumer"
    ;;
esac
