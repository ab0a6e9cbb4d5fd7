# Compiles for WebAssembly with Debian's emscripten; for node and browsers. Needs libc++-16-dev-wasm32, too: the standard
# library of emscripten 3.1.6 has no ranges. Headers and archive are taken from there; what throws and catches, and the C library,
# are emscripten's.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(EMSCRIPTEN ON)
set(CMAKE_C_COMPILER emcc)
set(CMAKE_CXX_COMPILER em++)
set(CMAKE_AR emar CACHE FILEPATH "")
set(CMAKE_RANLIB emranlib CACHE FILEPATH "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(libcxx /usr/lib/llvm-16)
set(CMAKE_C_FLAGS_INIT "-msimd128")
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fexceptions -nostdinc++ -isystem ${libcxx}/include/wasm32-wasi/c++/v1")
set(CMAKE_CXX_STANDARD_LIBRARIES "-lc++abi ${libcxx}/lib/wasm32-wasi/libc++.a")

# Of the headers of this machine, only those that emscripten does not have: nlohmann-json's.
string(APPEND CMAKE_CXX_FLAGS_INIT " -idirafter /usr/include -Wno-pass-failed -DJSON_HAS_FILESYSTEM=0 -DJSON_HAS_EXPERIMENTAL_FILESYSTEM=0")

# emscripten's scripts look for Debian's libraries, which another node does not see.
set(CMAKE_CXX_LINKER_LAUNCHER ${CMAKE_COMMAND} -E env NODE_PATH=/usr/share/nodejs)

find_program(LTZ_NODE node)
