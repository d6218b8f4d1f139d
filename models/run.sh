#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# models/run.sh: the real C code of each model under a model checker (loom, https://github.com/tokio-rs/loom). Needs
# cargo; without it the models are skipped, aloud. Builds into build/models. The first build takes a minute or two.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v cargo >/dev/null 2>&1; then
    echo "models: SKIPPED: there is no cargo (https://rustup.rs)" >&2
    exit 77
fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/build/models}"
for manifest in "$root"/models/*/Cargo.toml; do
    echo "== $(basename "$(dirname "$manifest")")"
    cargo run --quiet --release --locked --manifest-path "$manifest"
done
