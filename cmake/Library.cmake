# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The library, twice from the same objects: drystone (shared) and drystone_static. Needs libc only; LZ4 and ZSTD let
# it read compressed Arrow IPC.

set(dry_modules "")
set(dry_sources "")
foreach(module IN ITEMS base storage segment pool arrow store channel)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${module}/${module}.h)
        continue()
    endif()
    list(APPEND dry_modules ${module})
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${module}/*.c)
    list(FILTER found EXCLUDE REGEX "_test\\.c$")
    list(APPEND dry_sources ${found})
endforeach()

# What is installed: the table of contents, one header a module, Arrow's structs, and what storage.h brings (it counts
# inline). All other headers are private (tools/layers has the same list).
set(dry_public_headers drystone.h arrow/abi.h base/atomic.h base/memory.h segment/pass.h storage/bitmap.h storage/typed.h
    store/writer.h)
foreach(module IN LISTS dry_modules)
    list(APPEND dry_public_headers ${module}/${module}.h)
endforeach()
# buffer/ has no objects: its headers are templates, which use two more of base.
file(GLOB dry_buffer_headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/buffer/*.h)
list(FILTER dry_buffer_headers EXCLUDE REGEX "_test")
list(APPEND dry_buffer_headers base/check.h) # and base/memory.h, which is public anyway

set(dry_definitions "")
set(dry_codecs "")
find_package(PkgConfig QUIET)
function(drystone_codec name module)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(${name} QUIET ${module})
    endif()
    if(${name}_FOUND)
        set(dry_definitions ${dry_definitions} DRY_HAVE_${name} PARENT_SCOPE)
        set(dry_codecs ${dry_codecs} ${${name}_LIBRARIES} PARENT_SCOPE)
    else()
        message(NOTICE "drystone: ${module} was not found: ${name}-compressed Arrow IPC will be refused")
    endif()
endfunction()
drystone_codec(LZ4 liblz4)
drystone_codec(ZSTD libzstd)

# <drystone/drystone.h> is the include of an installed library; this link makes it the same inside the tree.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include/drystone SYMBOLIC)

add_library(drystone_objects OBJECT ${dry_sources})
drystone_compile(drystone_objects)
set_target_properties(drystone_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_definitions(drystone_objects PRIVATE ${dry_definitions} DRY_DEBUG=${DRY_DEBUG})

function(drystone_library target kind)
    add_library(${target} ${kind} $<TARGET_OBJECTS:drystone_objects>)
    drystone_compile(${target})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME drystone LINKER_LANGUAGE C)
    target_link_libraries(${target} PRIVATE ${dry_codecs})
    target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

drystone_library(drystone SHARED)
set_target_properties(drystone PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
if(NOT DRY_SANITIZE)
    target_link_options(drystone PRIVATE LINKER:--no-undefined)
endif()
drystone_library(drystone_static STATIC)
set_target_properties(drystone_static PROPERTIES EXPORT_NAME static)

add_library(drystone_buffer INTERFACE)
set_target_properties(drystone_buffer PROPERTIES EXPORT_NAME buffer)
target_include_directories(drystone_buffer INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                                     $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

add_library(drystone::drystone ALIAS drystone)
add_library(drystone::static ALIAS drystone_static)
add_library(drystone::buffer ALIAS drystone_buffer)
