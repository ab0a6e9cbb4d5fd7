# ltz::runtime: the C interface of ltz_runtime.h in one static library, without what only reading
# other formats, compressing and training need.

# What it shares with ltz::model and ltz::formats, compiled once.
ltz_glob(inference_sources ${PROJECT_SOURCE_DIR}/model/*.cpp)
list(FILTER inference_sources EXCLUDE REGEX "/model/training/")
set(reading_folders bytes files entropy ltz runtime)
list(TRANSFORM reading_folders REPLACE ".+" "${PROJECT_SOURCE_DIR}/formats/\\0/*.cpp")
ltz_glob(reading_sources ${reading_folders})
if(EMSCRIPTEN)  # a page has neither files nor threads, nor has its library <filesystem> or std::mutex
  list(FILTER reading_sources EXCLUDE REGEX "/formats/files/|/open_file\\.cpp$")
  list(FILTER inference_sources EXCLUDE REGEX "/translator\\.cpp$")
endif()

# A product and a sum, rounded one after the other, are the same with every instruction set.
set_source_files_properties(model/kernels/int8_kernels.cpp model/kernels/quantized_rows.cpp
                            PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
# Here every product is a part of one sum, in a fixed order: there is one way to fuse them.
set_source_files_properties(model/kernels/packed_kernels.cpp PROPERTIES COMPILE_OPTIONS -ffp-contract=fast)
set_source_files_properties(formats/runtime/ltz_runtime.cpp
                            PROPERTIES COMPILE_DEFINITIONS LTZ_VERSION="${PROJECT_VERSION}")

add_library(ltz_model_objects OBJECT ${inference_sources})
add_library(ltz_formats_objects OBJECT ${reading_sources})
add_library(ltz_runtime STATIC $<TARGET_OBJECTS:ltz_model_objects>
                               $<TARGET_OBJECTS:ltz_formats_objects>)
add_library(ltz::runtime ALIAS ltz_runtime)
foreach(target ltz_model_objects ltz_formats_objects ltz_runtime)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ltz>)
  target_compile_definitions(${target} PRIVATE EIGEN_DONT_PARALLELIZE)
  # A program takes only those functions that it calls, if its linker has --gc-sections.
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(${target} PRIVATE
    $<BUILD_INTERFACE:ltz_options> $<BUILD_INTERFACE:Eigen3::Eigen>
    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  endif()
endforeach()
set_target_properties(ltz_runtime PROPERTIES EXPORT_NAME runtime LINKER_LANGUAGE CXX)

if(EMSCRIPTEN)
  include(formats/runtime/web.cmake)
endif()

# The .pc file finds the others from where it is.
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(formats/runtime/ltz-runtime.pc.in ltz-runtime.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ltz-runtime.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Under the name of its place, and under the older one that programs include.
foreach(folder formats/runtime formats)
  install(FILES formats/runtime/ltz_runtime.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ltz/${folder})
endforeach()
install(TARGETS ltz_runtime EXPORT ltzRuntimeTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ltzRuntimeTargets NAMESPACE ltz:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ltz)
