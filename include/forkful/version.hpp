// The version of forkful. This is the one place: CMake, the package files and the command line read it from here.
#pragma once

#define FORKFUL_VERSION_MAJOR 0
#define FORKFUL_VERSION_MINOR 1
#define FORKFUL_VERSION_PATCH 0
#define FORKFUL_VERSION "0.1.0"
