# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# One cmocka program for each MODULE/*_test.c and tests/*_test.c, linked with the library built for tests: crash steps
# and the fault seam of base/os.h compiled in, all assertions on. Other files tests/*.c are shared by all of them.

if(PKG_CONFIG_FOUND)
    pkg_check_modules(CMOCKA QUIET cmocka)
endif()
if(NOT CMOCKA_FOUND)
    message(NOTICE "drystone: cmocka (Debian: libcmocka-dev) was not found: the C tests are skipped")
    return()
endif()

add_library(drystone_steps STATIC ${dry_sources})
drystone_compile(drystone_steps)
target_compile_definitions(drystone_steps PUBLIC DRY_STEPS DRY_DEBUG=2 PRIVATE ${dry_definitions})
target_link_libraries(drystone_steps PUBLIC ${dry_codecs})

file(GLOB dry_test_support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*.c)
list(FILTER dry_test_support EXCLUDE REGEX "_test\\.c$")
if(dry_test_support)
    add_library(drystone_test_support STATIC ${dry_test_support})
    drystone_compile(drystone_test_support)
    set_target_properties(drystone_test_support PROPERTIES C_EXTENSIONS ON)
    target_include_directories(drystone_test_support SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIRS})
    target_link_libraries(drystone_test_support PUBLIC drystone_steps)
endif()

file(GLOB dry_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.c)
foreach(module IN LISTS dry_modules ITEMS buffer)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${module}/*_test.c)
    list(APPEND dry_tests ${found})
endforeach()

foreach(source IN LISTS dry_tests)
    cmake_path(GET source STEM name)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME module)
    set(name ${module}_${name})
    add_executable(${name} ${source})
    drystone_compile(${name})
    set_target_properties(${name} PROPERTIES C_EXTENSIONS ON RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_include_directories(${name} SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIRS})
    target_link_libraries(${name} PRIVATE drystone_steps ${CMOCKA_LIBRARIES} m)
    if(dry_test_support)
        target_link_libraries(${name} PRIVATE drystone_test_support)
    endif()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 1200 LABELS ${module}
        ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1;TSAN_OPTIONS=allocator_may_return_null=1;UBSAN_OPTIONS=print_stacktrace=1")
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT_MODIFICATION "DRYSTONE_STORE=unset:")
endforeach()
