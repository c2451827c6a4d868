// What malloc does with memory that was given back.
#pragma once

namespace cli {

/// Makes memory cost the same in the caller and in its workers. To be called before they are started, so that they inherit it.
void keep_freed_memory();

}  // namespace cli
