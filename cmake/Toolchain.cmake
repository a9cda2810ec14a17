# Compiler flags, sanitizers, linker and compiler cache: everything that a preset may switch.

option(HEADRACE_TESTS "Build the tests" ON)
option(HEADRACE_FUZZERS "Build the fuzzers (needs clang with libFuzzer)" OFF)
set(HEADRACE_SANITIZE "" CACHE STRING "Value for -fsanitize=, for example address,undefined")

# Newer compilers warn of more, some of it wrongly: whoever builds with one is to have a program.
set(werror_default ON)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  set(werror_default OFF)
endif()
option(HEADRACE_WERROR "Warnings are errors; not by default with a g++ newer than the one of Debian 12" ${werror_default})
if(HEADRACE_WERROR)
  set(werror -Werror)
endif()

add_compile_options(-Wall -Wextra -Wpedantic ${werror} -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these for correct code inside the standard library and Boost when it optimises.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-dangling-pointer -Wno-free-nonheap-object)
  # Asks for the source that was named to the compiler, which includes those that are compiled at a time.
  add_compile_options(-Wno-subobject-linkage)
endif()

if(HEADRACE_SANITIZE)
  add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HEADRACE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND HEADRACE_SANITIZE MATCHES "thread")
    # g++ warns that TSan does not model atomic_thread_fence; Boost.Asio uses it where TSan does not look.
    add_compile_options(-Wno-tsan)
  endif()
endif()

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  # Every x86-64 since 2010. simdjson chooses its on-demand parser when it is compiled, and takes a slow
  # fallback without these.
  add_compile_options(-march=x86-64-v2 -mpclmul)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
