// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Compiles the real pool/*.c with -DDRY_MODEL, so that every atomic is a function of main.rs. A planted bug that lives in
// the C code is one line changed in a copy; the line must be there.
use std::{env, fs, path::PathBuf};

fn main() {
    let root = fs::canonicalize("../../..").unwrap();
    let planted = env::var("PLANT").unwrap_or_else(|_| "none".into());
    println!("cargo:rerun-if-env-changed=PLANT");
    println!("cargo:rustc-env=PLANT={planted}");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let mut hands = fs::read_to_string(root.join("pool/hands.c")).unwrap();
    if planted == "leave_without_step" {
        let line = "} else if (word_step(at.cell, &seen, word_make(word_version(seen) + 1, 0, POOL_SHARED))) {";
        assert!(hands.contains(line));
        hands = hands.replacen(line, "} else {", 1);
    }
    fs::create_dir_all(out.join("pool")).unwrap();
    fs::write(out.join("pool/hands.c"), hands).unwrap();
    let mut c = cc::Build::new();
    c.define("DRY_MODEL", None).include(root.join("pool")).file(out.join("pool/hands.c"));
    for name in ["pool/pool.c", "pool/layout.c", "base/status.c", "base/memory.c"] {
        c.file(root.join(name));
    }
    c.compile("pool");
    println!("cargo:rerun-if-changed={}", root.join("pool").display());
}
