# ltz_runtime.wasm and what loads it: web/ in the build folder has all that a page needs, and two examples of one.
set(functions version default_options open_memory free_model translate translate_ids
              free_translations translations_count translation_text translation_score
              translation_ids
              lm_start lm_copy lm_extend lm_extend_ids lm_length lm_free_state
              lm_next lm_score lm_complete
              lm_words_count lm_word_text lm_word_log_probability lm_word_ids lm_free_words)  # that ltz.mjs calls
list(TRANSFORM functions PREPEND _ltz_)
list(JOIN functions "," functions)

add_executable(web $<TARGET_OBJECTS:ltz_model_objects> $<TARGET_OBJECTS:ltz_formats_objects>)
target_link_libraries(web PRIVATE ltz_options)
target_link_options(web PRIVATE
  -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH
  -sEXPORTED_FUNCTIONS=${functions},_malloc,_free
  -sEXPORTED_RUNTIME_METHODS=UTF8ToString,getValue,setValue)
set_target_properties(web PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ltz_runtime SUFFIX .mjs
                                     RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/web)
configure_file(formats/runtime/ltz.mjs web/ltz.mjs COPYONLY)
foreach(page index keyboard)
  configure_file(examples/web/${page}.html web/${page}.html COPYONLY)
endforeach()
