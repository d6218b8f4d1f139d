# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The command `drystone`, linked statically to the library so that one file can be copied about; its man pages
# (docs/man/*.scd) and shell completions (which it prints itself).

set(dry_command OFF)
file(GLOB dry_command_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
list(FILTER dry_command_sources EXCLUDE REGEX "_test\\.c$")
if(DRY_COMMAND AND dry_command_sources)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(SMARTCOLS QUIET smartcols)
    endif()
    if(SMARTCOLS_FOUND)
        set(dry_command ON)
    else()
        message(NOTICE "drystone: libsmartcols (Debian: libsmartcols-dev) was not found: no drystone command")
    endif()
endif()

if(dry_command)
    add_executable(drystone_command ${dry_command_sources})
    drystone_compile(drystone_command)
    set_target_properties(drystone_command PROPERTIES OUTPUT_NAME drystone)
    target_compile_definitions(drystone_command PRIVATE DRY_DEBUG=${DRY_DEBUG})
    target_include_directories(drystone_command SYSTEM PRIVATE ${SMARTCOLS_INCLUDE_DIRS})
    target_link_libraries(drystone_command PRIVATE drystone_static ${SMARTCOLS_LIBRARIES})
endif()

set(dry_completions "")
if(dry_command AND NOT DRY_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
    foreach(shell bash zsh fish)
        set(script ${PROJECT_BINARY_DIR}/completions/drystone.${shell})
        add_custom_command(OUTPUT ${script} DEPENDS drystone_command VERBATIM
                           COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/completions
                           COMMAND drystone_command completion ${shell} > ${script})
        list(APPEND dry_completions ${script})
    endforeach()
    add_custom_target(drystone_completions ALL DEPENDS ${dry_completions})
endif()

set(dry_man_pages "")
file(GLOB dry_man_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.scd)
find_program(SCDOC scdoc)
if(dry_man_sources AND SCDOC)
    foreach(source IN LISTS dry_man_sources)
        cmake_path(GET source STEM LAST_ONLY page)
        set(out ${PROJECT_BINARY_DIR}/man/${page})
        add_custom_command(OUTPUT ${out} DEPENDS ${source} VERBATIM
                           COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
                           COMMAND ${SCDOC} < ${source} > ${out})
        list(APPEND dry_man_pages ${out})
    endforeach()
    add_custom_target(drystone_man ALL DEPENDS ${dry_man_pages})
elseif(dry_man_sources)
    message(NOTICE "drystone: scdoc was not found: no man pages")
endif()
