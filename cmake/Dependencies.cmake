# Third-party libraries. Debian's packages stand in deps/debian-packages.txt, the rest is put into
# HEADRACE_DEPS by scripts/setup, pinned and checked by checksum.

set(HEADRACE_DEPS "${CMAKE_SOURCE_DIR}/.deps" CACHE PATH "Where scripts/setup put the pinned downloads")

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # headers only: Asio, Beast, JSON
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(pugixml REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(ROCKSDB REQUIRED IMPORTED_TARGET rocksdb)

# Debian's package of it tells neither CMake nor pkg-config where it is.
find_path(ROARING_INCLUDE roaring/roaring.hh REQUIRED)
find_library(ROARING_LIBRARY roaring REQUIRED)
add_library(roaring SHARED IMPORTED)
set_target_properties(roaring PROPERTIES
  IMPORTED_LOCATION "${ROARING_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${ROARING_INCLUDE}")

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION "${HEADRACE_DEPS}/duckdb/libduckdb.so"
  IMPORTED_NO_SONAME FALSE
  INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_SOURCE_DIR}/third_party/duckdb;${CMAKE_SOURCE_DIR}/third_party/duckdb/cpp")
if(NOT EXISTS "${HEADRACE_DEPS}/duckdb/libduckdb.so")
  message(FATAL_ERROR "DuckDB's library is missing in ${HEADRACE_DEPS}: run scripts/setup first")
endif()

if(HEADRACE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
