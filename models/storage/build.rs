// SPDX-License-Identifier: Apache-2.0 OR MIT
fn main() {
    let sources = ["calls.c", "../../storage/storage.c", "../../storage/room.c", "../../storage/view.c", "../../base/memory.c"];
    cc::Build::new().files(sources).define("DRY_MODEL", None).define("DRY_DEBUG", "1").std("c11").compile("storage");
    println!("cargo:rerun-if-changed=calls.c");
    println!("cargo:rerun-if-changed=../../storage");
    println!("cargo:rerun-if-changed=../../base");
}
