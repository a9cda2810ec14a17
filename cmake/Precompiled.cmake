# Headers that most sources include, parsed once: a third less to compile from nothing. ccache cannot share
# what is compiled with them, so they are for machines whose cache is empty.

option(HEADRACE_PRECOMPILED "Parse the most included headers once" OFF)

if(HEADRACE_PRECOMPILED)
  # Another wrong report of g++ 12, where the standard library is precompiled.
  add_compile_options(-Wno-stringop-overread)
  set(precompiled
    <algorithm> <charconv> <chrono> <condition_variable> <deque> <exception> <filesystem> <functional> <map> <memory>
    <mutex> <optional> <set> <stop_token> <string> <string_view> <thread> <utility> <vector>
    <fmt/chrono.h> <fmt/format.h> <fmt/ranges.h> <boost/json.hpp>)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
  add_library(headrace_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_link_libraries(headrace_precompiled PRIVATE fmt::fmt Boost::headers Threads::Threads)
  target_precompile_headers(headrace_precompiled PRIVATE ${precompiled})
  if(HEADRACE_TESTS)
    add_library(headrace_precompiled_tests OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_link_libraries(headrace_precompiled_tests PRIVATE fmt::fmt Boost::headers Threads::Threads GTest::gmock)
    # Tests are programs, compiled as -fPIE; the headers must be too.
    set_target_properties(headrace_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(headrace_precompiled_tests PRIVATE -fPIE)
    target_precompile_headers(headrace_precompiled_tests PRIVATE ${precompiled} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

# Lets a target take the headers that were parsed for sources, or with "_tests" for tests.
function(headrace_use_precompiled target kind)
  if(HEADRACE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM headrace_precompiled${kind})
  endif()
endfunction()
