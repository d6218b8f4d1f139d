# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Programs beside the library, one a source file: examples/*.c, bench/*.c (DRY_BENCH), fuzz/*_fuzz.c.
# A fuzzer without a fuzzing engine is a test that runs its corpus, fuzz/corpus/NAME.

# Examples see what a user sees: the public headers and the shared library.
file(GLOB dry_examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
if(PROJECT_IS_TOP_LEVEL)
    foreach(source IN LISTS dry_examples)
        cmake_path(GET source STEM name)
        add_executable(example_${name} ${source})
        drystone_compile(example_${name})
        set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} C_EXTENSIONS ON
                              RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
        target_link_libraries(example_${name} PRIVATE drystone)
    endforeach()
endif()

if(DRY_BENCH)
    file(GLOB dry_benches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
    foreach(source IN LISTS dry_benches)
        cmake_path(GET source STEM name)
        add_executable(bench_${name} ${source})
        drystone_compile(bench_${name})
        set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} C_EXTENSIONS ON
                              RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
        target_link_libraries(bench_${name} PRIVATE drystone_static)
    endforeach()
endif()

if(DRY_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "drystone: DRY_FUZZ needs clang, and the compiler is ${CMAKE_C_COMPILER_ID}")
endif()
if(DRY_FUZZ OR DRY_TESTS)
    file(GLOB dry_fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*_fuzz.c)
    foreach(source IN LISTS dry_fuzzers)
        cmake_path(GET source STEM name)
        add_executable(${name} ${source})
        drystone_compile(${name})
        set_target_properties(${name} PROPERTIES C_EXTENSIONS ON RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
        # LLVMFuzzerTestOneInput is declared by nobody.
        target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
        target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
        target_link_libraries(${name} PRIVATE drystone_static)
        if(DRY_FUZZ)
            target_compile_options(drystone_objects PRIVATE -fsanitize=fuzzer-no-link)
            target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        else()
            string(REGEX REPLACE "_fuzz$" "" property ${name})
            target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/driver.c)
            add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${property})
            set_tests_properties(${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
        endif()
    endforeach()
endif()
