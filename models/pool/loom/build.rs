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
    let bugs = [
        ("leave_without_step", "hands.c", "} else if (word_step(at.cell, &seen, word_make(word_version(seen) + 1, 0, POOL_SHARED))) {",
         "} else {"),
        ("return_hint_first", "cache.c", "        word_store(at.cell, word_make(word_version(seen), 0, POOL_FREE));",
         "hints_set(hint_group(at), hint_bit(at)); word_store(at.cell, word_make(word_version(seen), 0, POOL_FREE)); continue;"),
    ];
    fs::create_dir_all(out.join("pool")).unwrap();
    let mut c = cc::Build::new();
    c.define("DRY_MODEL", None).include(root.join("pool"));
    for file in ["hands.c", "cache.c"] {
        let mut text = fs::read_to_string(root.join("pool").join(file)).unwrap();
        for (_, _, line, instead) in bugs.iter().filter(|bug| bug.0 == planted && bug.1 == file) {
            assert!(text.contains(line));
            text = text.replacen(line, instead, 1);
        }
        let copy = out.join("pool").join(file);
        fs::write(&copy, text).unwrap();
        c.file(copy);
    }
    for name in ["pool/pool.c", "pool/layout.c", "base/status.c", "base/memory.c"] {
        c.file(root.join(name));
    }
    c.compile("pool");
    println!("cargo:rerun-if-changed={}", root.join("pool").display());
}
