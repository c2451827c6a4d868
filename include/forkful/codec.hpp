// How a value becomes bytes in shared memory and a value again: sink and source, and what they write and read.
#pragma once

#include <forkful/detail/stream.hpp>
#include <forkful/detail/wire.hpp>
