// Everything.
#pragma once

#include <forkful/by_value.hpp>
#include <forkful/codec.hpp>
#include <forkful/errors.hpp>
#include <forkful/init.hpp>
#include <forkful/options.hpp>
#include <forkful/outcome.hpp>
#include <forkful/pool.hpp>
#include <forkful/process_pool.hpp>
#include <forkful/progress.hpp>
#include <forkful/report.hpp>
#include <forkful/serial_pool.hpp>
#include <forkful/shared.hpp>
#include <forkful/slices.hpp>
#include <forkful/snapshot_pool.hpp>
#include <forkful/version.hpp>
