# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Installation, the CMake package, drystone.pc, and the tests of what is installed.
include(CMakePackageConfigHelpers)

set(dry_include ${CMAKE_INSTALL_INCLUDEDIR}/drystone)
foreach(header IN LISTS dry_public_headers dry_buffer_headers)
    cmake_path(GET header PARENT_PATH folder)
    install(FILES ${header} DESTINATION ${dry_include}/${folder})
endforeach()

install(TARGETS drystone drystone_static drystone_buffer EXPORT drystone
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(dry_package ${CMAKE_INSTALL_LIBDIR}/cmake/drystone)
install(EXPORT drystone NAMESPACE drystone:: FILE drystone-targets.cmake DESTINATION ${dry_package})
configure_package_config_file(cmake/drystone-config.cmake.in drystone-config.cmake INSTALL_DESTINATION ${dry_package})
write_basic_package_version_file(drystone-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/drystone-config.cmake ${PROJECT_BINARY_DIR}/drystone-config-version.cmake
        DESTINATION ${dry_package})

# The .pc finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH dry_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
list(TRANSFORM dry_codecs PREPEND -l OUTPUT_VARIABLE dry_private_libs)
list(JOIN dry_private_libs " " dry_private_libs)
configure_file(cmake/drystone.pc.in drystone.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/drystone.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(dry_command)
    install(TARGETS drystone_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES ${dry_man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(dry_completions)
    set(completions ${PROJECT_BINARY_DIR}/completions)
    set(share ${CMAKE_INSTALL_DATADIR})
    install(FILES ${completions}/drystone.bash DESTINATION ${share}/bash-completion/completions RENAME drystone)
    install(FILES ${completions}/drystone.zsh DESTINATION ${share}/zsh/site-functions RENAME _drystone)
    install(FILES ${completions}/drystone.fish DESTINATION ${share}/fish/vendor_completions.d)
endif()

# What a user gets is tested as a user gets it: not under a sanitizer, from an installed prefix.
if(BUILD_TESTING AND NOT DRY_SANITIZE)
    set(prefix ${PROJECT_BINARY_DIR}/prefix)
    find_package(Python3 3.9 COMPONENTS Interpreter QUIET)
    add_test(NAME install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
    set_tests_properties(install PROPERTIES FIXTURES_SETUP installed TIMEOUT 60)
    add_test(NAME outside_cmake COMMAND ${CMAKE_CTEST_COMMAND}
             --build-and-test ${PROJECT_SOURCE_DIR}/tests/outside ${PROJECT_BINARY_DIR}/outside
             --build-generator ${CMAKE_GENERATOR} --build-options -DCMAKE_PREFIX_PATH=${prefix}
             -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} --test-command ${CMAKE_CTEST_COMMAND} --output-on-failure)
    add_test(NAME outside_pkgconfig COMMAND sh ${PROJECT_SOURCE_DIR}/tests/outside/pkgconfig.sh
             ${prefix} ${CMAKE_INSTALL_LIBDIR} ${CMAKE_C_COMPILER})
    set_tests_properties(outside_cmake outside_pkgconfig PROPERTIES FIXTURES_REQUIRED installed TIMEOUT 120)
    if(Python3_FOUND)
        add_test(NAME exported COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/exported.py
                 $<TARGET_FILE:drystone> libdrystone.so.${PROJECT_VERSION_MAJOR} ${dry_public_headers})
        set_tests_properties(exported PROPERTIES WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} TIMEOUT 60)
    else()
        message(NOTICE "drystone: no Python: the exported names are not checked")
    endif()
endif()
