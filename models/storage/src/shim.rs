// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The words and the memory of the C code under loom: each struct dry_atomic_u64 is a loom atomic, found by its address;
//! memory of the model's allocator is alive from allocate to release, and an atomic outside of it is a use after free.

use loom::sync::atomic::{AtomicU64, Ordering, Ordering::*};
use std::sync::Arc;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::Mutex;

#[repr(C)]
pub struct Allocator {
    allocate: extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    resize: *const c_void,
    release: extern "C" fn(*mut c_void, *mut c_void, usize, usize),
    this: *mut c_void,
}
unsafe impl Sync for Allocator {}

pub static ALLOCATOR: Allocator =
    Allocator { allocate, resize: std::ptr::null(), release, this: std::ptr::null_mut() };

/// The deliberately wrong order: letting go without acquire or release.
pub static WEAK: AtomicBool = AtomicBool::new(false);
pub static RELEASES: AtomicUsize = AtomicUsize::new(0);

struct World {
    words: BTreeMap<usize, Arc<AtomicU64>>,
    blocks: BTreeMap<usize, usize>,
    quarantine: Vec<(usize, usize)>, // released memory is not used again in the same execution
}
static WORLD: Mutex<World> =
    Mutex::new(World { words: BTreeMap::new(), blocks: BTreeMap::new(), quarantine: Vec::new() });

fn world() -> std::sync::MutexGuard<'static, World> {
    WORLD.lock().unwrap_or_else(|e| e.into_inner())
}

fn layout(size: usize, align: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(size, align).unwrap()
}

extern "C" fn allocate(_: *mut c_void, size: usize, align: usize) -> *mut c_void {
    let block = unsafe { std::alloc::alloc_zeroed(layout(size, align)) };
    world().blocks.insert(block as usize, size);
    block.cast()
}

extern "C" fn release(_: *mut c_void, block: *mut c_void, size: usize, align: usize) {
    let at = block as usize;
    let mut w = world();
    assert_eq!(w.blocks.remove(&at), Some(size), "released twice, or never allocated");
    let words: Vec<_> = w.words.range(at..at + size).map(|(k, _)| *k).collect();
    let gone: Vec<_> = words.iter().map(|k| w.words.remove(k)).collect();
    w.quarantine.push((at, size << 8 | align));
    drop(w);
    drop(gone);
}

/// Ends an execution: everything must have been released.
pub fn end() {
    let mut w = world();
    let left = w.blocks.len();
    for (at, packed) in w.quarantine.drain(..) {
        unsafe { std::alloc::dealloc(at as *mut u8, layout(packed >> 8, packed & 255)) };
    }
    w.words.clear();
    w.blocks.clear();
    drop(w);
    assert_eq!(left, 0, "blocks were leaked");
}

/// Before an execution, also after one that panicked.
pub fn begin() {
    let mut w = world();
    w.words.clear();
    w.blocks.clear();
    w.quarantine.clear();
    RELEASES.store(0, SeqCst);
}

/// Touches a word that all operations touch, so that loom tries every order of them. It remembers only the last access to
/// a word; a load followed by a subtraction of the same thread would hide that another thread has loaded before. Relaxed:
/// it orders nothing.
fn tick() {
    let all = world().words.entry(usize::MAX).or_insert_with(|| Arc::new(AtomicU64::new(0))).clone();
    all.fetch_add(1, Relaxed);
}

fn word(at: *const u64) -> Arc<AtomicU64> {
    tick();
    let at = at as usize;
    let mut w = world();
    let alive = w.blocks.range(..=at).next_back().is_some_and(|(from, size)| at < from + size);
    assert!(alive, "use after free");
    w.words.entry(at).or_insert_with(|| Arc::new(AtomicU64::new(0))).clone()
}

fn letting_go() -> Ordering {
    if WEAK.load(SeqCst) { Relaxed } else { AcqRel }
}

#[no_mangle]
extern "C" fn dry_load_relaxed_u64(a: *const u64) -> u64 {
    word(a).load(Relaxed)
}
#[no_mangle]
extern "C" fn dry_load_acquire_u64(a: *const u64) -> u64 {
    word(a).load(Acquire)
}
#[no_mangle]
extern "C" fn dry_store_relaxed_u64(a: *mut u64, v: u64) {
    word(a).store(v, Relaxed)
}
#[no_mangle]
extern "C" fn dry_add_relaxed_u64(a: *mut u64, v: u64) -> u64 {
    word(a).fetch_add(v, Relaxed)
}
#[no_mangle]
extern "C" fn dry_sub_acq_rel_u64(a: *mut u64, v: u64) -> u64 {
    word(a).fetch_sub(v, letting_go())
}
