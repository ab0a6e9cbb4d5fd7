# The command line, and the libraries that it is made of.

find_package(HDF5 REQUIRED COMPONENTS C CXX)  # C++ for the tests
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(PROTOBUF REQUIRED IMPORTED_TARGET protobuf)
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
set(BLA_VENDOR OpenBLAS)
find_package(BLAS REQUIRED)

# One static library per folder. ltz_add_library(name, folder, libraries that its headers need...)
function(ltz_add_library name folder)
  ltz_glob(sources ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(TARGET ltz_${name}_objects)
    get_target_property(shared ltz_${name}_objects SOURCES)
    list(REMOVE_ITEM sources ${shared})
    list(APPEND sources $<TARGET_OBJECTS:ltz_${name}_objects>)
  endif()
  add_library(ltz_${name} STATIC ${sources})
  add_library(ltz::${name} ALIAS ltz_${name})
  set_target_properties(ltz_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(ltz_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ltz>)
  target_compile_features(ltz_${name} PUBLIC cxx_std_20)
  target_link_libraries(ltz_${name} PUBLIC ${ARGN} PRIVATE $<BUILD_INTERFACE:ltz_options>)
  install(TARGETS ltz_${name} EXPORT ltzTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ltz/${folder} FILES_MATCHING PATTERN "*.h")
endfunction()

# ltz_precompile(target headers...): where reading them takes longer than compiling the rest.
function(ltz_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # for ccache
  endif()
endfunction()

ltz_add_library(model model Eigen3::Eigen OpenMP::OpenMP_CXX ${BLAS_LIBRARIES})
target_compile_definitions(ltz_model PRIVATE EIGEN_USE_BLAS EIGEN_DONT_PARALLELIZE)
ltz_add_library(compress compress ltz_model OpenMP::OpenMP_CXX)
target_compile_definitions(ltz_compress PRIVATE EIGEN_USE_BLAS EIGEN_DONT_PARALLELIZE)
# Roots of vectors: none of them reports a negative number through errno.
set_source_files_properties(compress/training/adam.cpp PROPERTIES COMPILE_OPTIONS -fno-math-errno)
ltz_add_library(eval eval ltz_model fmt::fmt)
target_link_libraries(ltz_eval PRIVATE PkgConfig::UTF8PROC)
ltz_add_library(formats formats ltz_model ltz_compress fmt::fmt nlohmann_json::nlohmann_json
                tomlplusplus::tomlplusplus)
target_link_libraries(ltz_formats PRIVATE PkgConfig::LIBZIP yaml-cpp ${HDF5_C_LIBRARIES})
target_include_directories(ltz_formats SYSTEM PRIVATE ${HDF5_INCLUDE_DIRS} ${ONNX_INCLUDE_DIR})
# The messages of .onnx files; how the library that has them was compiled.
target_link_libraries(ltz_formats PRIVATE onnx_proto PkgConfig::PROTOBUF)
target_compile_definitions(ltz_formats PRIVATE ONNX_ML=1 ONNX_NAMESPACE=onnx)

# The program without its terminal.
ltz_add_library(pipeline cli/pipeline ltz_model ltz_compress ltz_eval ltz_formats)
target_compile_definitions(ltz_pipeline PRIVATE LTZ_VERSION="${PROJECT_VERSION}")

# What the subcommands share: a library for the tests' sake.
ltz_glob(cli_sources ${PROJECT_SOURCE_DIR}/cli/terminal/*.cpp ${PROJECT_SOURCE_DIR}/cli/options/*.cpp
                     ${PROJECT_SOURCE_DIR}/cli/reports/*.cpp)
add_library(ltz_cli STATIC ${cli_sources})
target_link_libraries(ltz_cli PRIVATE ltz_options PUBLIC ltz_pipeline CLI11::CLI11)
ltz_precompile(ltz_cli <CLI/CLI.hpp>)
ltz_glob(without_cli11 ${PROJECT_SOURCE_DIR}/cli/terminal/*.cpp)
set_source_files_properties(${without_cli11} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

ltz_glob(command_sources ${PROJECT_SOURCE_DIR}/cli/commands/*.cpp)
add_executable(ltz ${command_sources})
ltz_precompile(ltz <CLI/CLI.hpp>)
target_link_libraries(ltz PRIVATE ltz_options ltz_cli)
# What says that a processor is too old must run on it, and before sanitizers are ready.
set(early_options -fno-sanitize=all)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND early_options -march=x86-64)
endif()
set_source_files_properties(${PROJECT_SOURCE_DIR}/cli/commands/early.cpp PROPERTIES
  COMPILE_OPTIONS "${early_options}" SKIP_PRECOMPILE_HEADERS ON)
target_compile_definitions(ltz PRIVATE LTZ_VERSION="${PROJECT_VERSION}")
install(TARGETS ltz RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(EXPORT ltzTargets NAMESPACE ltz:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ltz)
