# A module is a folder of src/: its sources, its tests/ and its fuzz/ are found, its links are declared.
#
#   headrace_module(stream THREADED LINKS base codec THIRD_PARTY ZLIB::ZLIB)
#
# makes the library headrace_stream, the test program stream_tests from tests/*_test.cc and one fuzzer
# for each fuzz/*_fuzzer.cc. What is under LINKS is all that the module may include. THREADED modules have
# threads of their own, so their tests are also run under ThreadSanitizer.

# Headers are most of the work of compiling a source, so sources of a module are compiled some at a time. Names
# in their anonymous namespaces must differ.
option(HEADRACE_UNITY "Compile sources some at a time; off for tools that look at one source alone" ON)
set(CMAKE_UNITY_BUILD ${HEADRACE_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)
if(HEADRACE_SANITIZE)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 32)  # these are built whole, seldom after one change
endif()

add_custom_target(unit_tests)
add_custom_target(threaded_tests)
add_custom_target(fuzzers)

function(headrace_add_modules directory)
  file(GLOB lists CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${directory}/*/CMakeLists.txt)
  foreach(list ${lists})
    get_filename_component(folder ${list} DIRECTORY)
    add_subdirectory(${folder})
  endforeach()
endfunction()

function(headrace_module name)
  cmake_parse_arguments(ARG "THREADED;WHOLE_PROGRAM" "" "LINKS;THIRD_PARTY;PRIVATE_THIRD_PARTY;TEST_LINKS;EXTRA_SOURCES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/(tests|fuzz|testing)/")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(NOT sources AND NOT ARG_EXTRA_SOURCES)
    add_library(headrace_${name} INTERFACE)  # headers alone
    target_include_directories(headrace_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    foreach(link ${ARG_LINKS})
      target_link_libraries(headrace_${name} INTERFACE headrace_${link})
    endforeach()
    return()
  endif()
  add_library(headrace_${name} STATIC ${sources} ${ARG_EXTRA_SOURCES})
  target_include_directories(headrace_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(link ${ARG_LINKS})
    target_link_libraries(headrace_${name} PUBLIC headrace_${link})
  endforeach()
  target_link_libraries(headrace_${name} PUBLIC ${ARG_THIRD_PARTY} PRIVATE ${ARG_PRIVATE_THIRD_PARTY})

  if(HEADRACE_TESTS)
    file(GLOB testing CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/testing/*.cc)
    if(testing)
      add_library(headrace_${name}_testing STATIC ${testing})
      target_link_libraries(headrace_${name}_testing PUBLIC headrace_${name} GTest::gtest GTest::gmock)
      target_compile_definitions(headrace_${name}_testing PRIVATE HEADRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endif()
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*_test.cc)
    if(tests)
      add_executable(${name}_tests ${tests})
      target_link_libraries(${name}_tests PRIVATE headrace_${name} GTest::gtest_main GTest::gmock)
      foreach(link ${ARG_TEST_LINKS})
        target_link_libraries(${name}_tests PRIVATE headrace_${link})
      endforeach()
      target_compile_definitions(${name}_tests PRIVATE
        HEADRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HEADRACE_DEPS_DIR="${HEADRACE_DEPS}")
      if(testing)
        target_link_libraries(${name}_tests PRIVATE headrace_${name}_testing)
      endif()
      # Tests of the program as a whole are not unit tests: they are not run again under the sanitizers.
      set(labels program)
      if(NOT ARG_WHOLE_PROGRAM)
        add_dependencies(unit_tests ${name}_tests)
        set(labels unit)
      endif()
      if(ARG_THREADED)
        add_dependencies(threaded_tests ${name}_tests)
        set(labels unit-threaded)
      endif()
      gtest_discover_tests(${name}_tests TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
        PROPERTIES TIMEOUT 600 LABELS ${labels})
    endif()
  endif()

  if(HEADRACE_FUZZERS)
    file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*_fuzzer.cc)
    foreach(source ${fuzzers})
      get_filename_component(fuzzer ${source} NAME_WE)
      add_executable(${name}_${fuzzer} ${source})
      target_link_libraries(${name}_${fuzzer} PRIVATE headrace_${name})
      add_dependencies(fuzzers ${name}_${fuzzer})
      target_compile_options(${name}_${fuzzer} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name}_${fuzzer} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
