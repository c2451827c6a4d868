# forkful_warnings(target): the warnings we hold our own code to; they never reach a user's build.
function(forkful_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
    $<$<BOOL:${FORKFUL_WERROR}>:-Werror>)
endfunction()
