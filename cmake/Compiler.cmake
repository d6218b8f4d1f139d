# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# drystone_compile(TARGET): the language, the warnings and the sanitizers of every target of this project.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

# The hot loops are copies, which gain nothing from -O3; it costs size and warnings about what cannot happen.
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

set(dry_warnings -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla)
if(DRY_WERROR)
    list(APPEND dry_warnings -Werror)
endif()

set(dry_sanitizers "")
if(DRY_SANITIZE)
    set(dry_sanitizers -fsanitize=${DRY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # gcc's manual: sanitizers make it warn falsely of what it follows through the code. Release builds warn.
        list(APPEND dry_warnings -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overread
                                 -Wno-stringop-overflow)
    endif()
endif()

function(drystone_compile target)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                               C_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE ${dry_warnings} ${dry_sanitizers})
    target_link_options(${target} PRIVATE ${dry_sanitizers})
endfunction()
