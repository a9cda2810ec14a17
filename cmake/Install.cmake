# `cmake --install`: the program, and DuckDB's library in a folder of its own beside it.

if(TARGET headrace)
  set_target_properties(headrace PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/headrace")
  install(TARGETS headrace RUNTIME DESTINATION bin)
  install(FILES "${HEADRACE_DEPS}/duckdb/libduckdb.so" DESTINATION lib/headrace)
endif()
