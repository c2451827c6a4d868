// Where figures come from: without it they mean nothing.
#pragma once

#include <string>

namespace forkful_bench {

/// "AMD EPYC, 2 CPUs, Linux 6.1.0, g++ 12.2.0 -O3, load 0.12", and a warning if other programs take more than a tenth
/// of the machine now (it watches for 200 ms).
std::string machine_facts();

}  // namespace forkful_bench
