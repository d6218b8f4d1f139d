# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: .venv with the pinned packages of tools/requirements.txt and the drystone package built from this
# tree. Stamp files in .venv say what was done.

venv=$root/.venv

# exec_python ARGS: becomes that Python; programs that it starts find the built command as `drystone`.
exec_python() { PATH=$root/build/release:$PATH DRYSTONE_COMMAND=$(command_path) exec "$venv/bin/python" "$@"; }

# package_once: the package is installed and up to date; without a word unless something has to be made.
package_once() {
    if [ ! -e "$venv/.stamp-requirements" ]; then install_needs build python; fi
    package
}

package() { one_at_a_time python make_package; }

make_package() {
    make_venv || return 1
    local stamp=$venv/.stamp-package
    if [ -e "$stamp" ] && [ -z "$(newer_sources "$stamp")" ]; then return 0; fi
    say "building: the Python package"
    touch "$stamp.begun" # what changes while it is built is newer than the stamp
    quietly "python-package" "$venv/bin/pip" install --quiet --no-deps --no-build-isolation --force-reinstall \
        --disable-pip-version-check "$root" &&
        mv "$stamp.begun" "$stamp"
}

newer_sources() {
    in_root find pyproject.toml CMakeLists.txt cmake drystone.h base storage segment arrow store python \
        -name __pycache__ -prune -o -name tests -prune -o -newer "$1" -print -quit
}

make_venv() {
    local python pins=$root/tools/requirements.txt stamp=$venv/.stamp-requirements
    if cmp -s "$pins" "$stamp"; then return 0; fi
    if ! python=$(system_python); then
        say "no Python 3.11 or newer: no .venv"
        return 1
    fi
    say "making .venv with the packages of tools/requirements.txt (once)"
    quietly "python-venv" "$python" -m venv "$venv" &&
        quietly "python-packages" "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$pins" &&
        cp "$pins" "$stamp"
}
