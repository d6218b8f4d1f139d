# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: the CMake presets.

command_path() { printf '%s\n' "$root/build/release/drystone"; }

# build_once PRESET: brings build/PRESET up to date without a word, for what must keep stdout clean.
build_once() {
    if [ ! -e "$root/build/$1/.configured" ]; then
        install_needs build
        say "building the $1 preset (once; the log is in build/log)"
    fi
    build_quietly "$1" || return 1
    if [ "$1" = release ] && [ ! -x "$(command_path)" ]; then
        say "there is no drystone command: build/log/configure-release.log says why"
        return 1
    fi
}

build() {
    say "building: $1"
    build_quietly "$1" && { grep '^drystone: ' "$logs/configure-$1.log" >&2 || true; }
}

build_quietly() { one_at_a_time "build-$1" configure_and_build "$1"; }

configure_and_build() {
    if ! can_build; then
        say "the $1 preset cannot be built: cmake or a C compiler is missing"
        return 1
    fi
    configure "$1" && quietly "build-$1" cmake --build "build/$1" --parallel "$(nproc)"
}

can_build() { have cmake && { have cc || have gcc || have clang; }; }

configure() {
    local stamp=$root/build/$1/.configured options=()
    if [ "$stamp" -nt "$root/CMakePresets.json" ]; then return 0; fi
    have ninja || options+=(-G "Unix Makefiles")
    if [ "$1" = fuzz ]; then options+=(-D "CMAKE_C_COMPILER=$(newest_clang)"); fi
    rm -rf "$root/build/$1" # a half or older configuration is not repaired
    quietly "configure-$1" cmake --preset "$1" "${options[@]}" && touch "$stamp"
}

newest_clang() {
    local clang
    for clang in clang-19 clang-18 clang-17 clang-16 clang; do
        if have "$clang"; then
            echo "$clang"
            return
        fi
    done
    echo clang-19
}
