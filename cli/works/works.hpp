// The works, each in its own file; works.cpp has the list.
#pragma once

#include "race/work.hpp"

namespace race {

entry blur_work();
entry crash_work();
entry gzip_work();
entry matrix_work();
entry montecarlo_work();
entry numbers_work();
entry skewed_work();
entry sleep_work();
entry strings_work();

}  // namespace race
