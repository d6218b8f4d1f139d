#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# pkgconfig.sh PREFIX LIBDIR CC: builds and runs outside.c by the words of the installed drystone.pc, shared and
# static.
set -eu
prefix=$1 libdir=$1/$2 cc=$3
here=$(dirname "$0")
PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_PATH
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The words of pkg-config are options, one each.
# shellcheck disable=SC2046
"$cc" "$here/outside.c" -o "$out/shared" $(pkg-config --cflags --libs drystone)
LD_LIBRARY_PATH=$libdir "$out/shared"

private=$(pkg-config --static --libs-only-l drystone | sed 's/-ldrystone//')
# shellcheck disable=SC2046,SC2086
"$cc" "$here/outside.c" -o "$out/static" $(pkg-config --cflags drystone) "$libdir/libdrystone.a" $private
"$out/static"

test "$(pkg-config --variable=prefix drystone)" -ef "$prefix"
