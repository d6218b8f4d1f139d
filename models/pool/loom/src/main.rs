// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The real C code of pool/ under loom: its atomics are the functions below, and loom runs every interleaving, with every
// value that the C11 memory model lets a load see. Payloads are loom cells: two uses that no order separates are a fault.
//
// The planted bugs word_relaxed, hint_relaxed and reader_relaxed take the order away from one kind of word.
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::sync::Arc;
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Mutex;

const PLANT: &str = env!("PLANT");
const OK: i32 = 0;
const STALE: i32 = 14;
const FULL: i32 = 6;
/// A peer whose reader bit lies in another word than peer 1's.
const FAR: u32 = 70;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Slot {
    generation: u64,
    length: u64,
    index: u32,
    class_index: u16,
    kind: u16,
}
#[repr(C)]
struct Config {
    slot_size: u64,
    slot_count: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
struct Memory {
    base: *mut c_void,
    length: usize,
    offset: usize,
}
#[repr(C)]
struct Pool {
    _opaque: [u8; 0],
}

extern "C" {
    fn dry_pool_required_size(c: *const Config, n: usize, out: *mut u64, err: *mut c_void) -> i32;
    fn dry_pool_init(m: Memory, c: *const Config, n: usize, flags: u32, err: *mut c_void) -> i32;
    fn dry_pool_open(m: Memory, peer: u32, a: *const c_void, p: *mut *mut Pool, err: *mut c_void) -> i32;
    fn dry_pool_close(p: *mut Pool);
    fn dry_pool_cache(p: *mut Pool, slots: u32, err: *mut c_void) -> i32;
    fn dry_pool_allocate(p: *mut Pool, size: u64, slot: *mut Slot) -> i32;
    fn dry_pool_free(p: *mut Pool, slot: Slot) -> i32;
    fn dry_pool_offer(p: *mut Pool, slot: Slot, to: u32, out: *mut Slot) -> i32;
    fn dry_pool_accept(p: *mut Pool, offered: Slot, out: *mut Slot) -> i32;
    fn dry_pool_withdraw(p: *mut Pool, offered: Slot, out: *mut Slot) -> i32;
    fn dry_pool_share(p: *mut Pool, slot: Slot, out: *mut Slot) -> i32;
    fn dry_pool_ref(p: *mut Pool, shared: Slot) -> i32;
    fn dry_pool_unref(p: *mut Pool, shared: Slot) -> i32;
}

// ---- the atomics of base/atomic.h ----

/// One execution: the pool's bytes, an atomic for each word that was touched, a cell for the payload.
struct World {
    memory: Memory,
    size: usize,
    atomics: Mutex<HashMap<usize, std::sync::Arc<AtomicU64>>>,
    payload: UnsafeCell<u64>,
}
unsafe impl Sync for World {}
unsafe impl Send for World {}

loom::thread_local! { static WORLD: RefCell<Option<Arc<World>>> = RefCell::new(None); }

fn world() -> Arc<World> {
    WORLD.with(|w| w.borrow().as_ref().unwrap().clone())
}

fn atomic(at: usize, bytes: usize) -> std::sync::Arc<AtomicU64> {
    let w = world();
    let mut all = w.atomics.lock().unwrap();
    let first = || unsafe { if bytes == 8 { *(at as *const u64) } else { *(at as *const u32) as u64 } };
    all.entry(at).or_insert_with(|| std::sync::Arc::new(AtomicU64::new(first()))).clone()
}

/// The pool of the model has one class of one slot: [0, 384) header and extents, [384, 16768) peers, then 64 bytes each of
/// class table, hints and slot.
const ROWS: usize = 384;
const TABLE: usize = 16768;
const HINTS: usize = TABLE + 64;
const CELL: usize = HINTS + 64;

fn order_of(at: usize, order: Ordering) -> Ordering {
    let offset = at.wrapping_sub(world().memory.base as usize);
    let taken = match PLANT {
        "word_relaxed" => offset == CELL,
        "store_relaxed" => (CELL..CELL + 16).contains(&offset) && order == Ordering::Release, // word and note
        "hint_relaxed" => offset == HINTS,
        "reader_relaxed" => (CELL + 16..CELL + 48).contains(&offset),
        _ => false,
    };
    if taken { Ordering::Relaxed } else { order }
}

fn load(at: usize, bytes: usize, order: Ordering) -> u64 {
    atomic(at, bytes).load(order_of(at, order))
}
fn store(at: usize, bytes: usize, v: u64, order: Ordering) {
    atomic(at, bytes).store(v, order_of(at, order))
}
fn cas(at: usize, seen: &mut u64, v: u64, order: Ordering) -> bool {
    let order = order_of(at, order);
    let failed = if order == Ordering::AcqRel { Ordering::Acquire } else { Ordering::Relaxed };
    match atomic(at, 8).compare_exchange(*seen, v, order, failed) {
        Ok(_) => true,
        Err(other) => {
            *seen = other;
            false
        }
    }
}

#[no_mangle]
pub extern "C" fn dry_load_relaxed_u64(at: usize) -> u64 { load(at, 8, Ordering::Relaxed) }
#[no_mangle]
pub extern "C" fn dry_load_acquire_u64(at: usize) -> u64 { load(at, 8, Ordering::Acquire) }
#[no_mangle]
pub extern "C" fn dry_load_relaxed_u32(at: usize) -> u32 { load(at, 4, Ordering::Relaxed) as u32 }
#[no_mangle]
pub extern "C" fn dry_store_relaxed_u64(at: usize, v: u64) { store(at, 8, v, Ordering::Relaxed) }
#[no_mangle]
pub extern "C" fn dry_store_release_u64(at: usize, v: u64) { store(at, 8, v, Ordering::Release) }
#[no_mangle]
pub extern "C" fn dry_store_relaxed_u32(at: usize, v: u32) { store(at, 4, v as u64, Ordering::Relaxed) }
#[no_mangle]
pub unsafe extern "C" fn dry_cas_acq_rel_u64(at: usize, seen: *mut u64, v: u64) -> bool {
    cas(at, &mut *seen, v, Ordering::AcqRel)
}
/// A u32 here is the lower half of a u64, which a carry does not hurt.
#[no_mangle]
pub extern "C" fn dry_add_relaxed_u32(at: usize, v: u32) -> u32 { atomic(at, 4).fetch_add(v as u64, Ordering::Relaxed) as u32 }
#[no_mangle]
pub extern "C" fn dry_add_relaxed_u64(at: usize, v: u64) -> u64 { atomic(at, 8).fetch_add(v, Ordering::Relaxed) }
/// Waiting is not modelled.
#[no_mangle]
pub extern "C" fn dry_pool_wake(_p: *const Pool) {}

// ---- peers ----

#[derive(Clone, Copy)]
struct Peer(*mut Pool);
unsafe impl Send for Peer {}

impl Peer {
    fn open(peer: u32) -> Peer {
        let mut p = std::ptr::null_mut();
        let none = std::ptr::null_mut();
        assert_eq!(unsafe { dry_pool_open(world().memory, peer, none, &mut p, none) }, OK);
        Peer(p)
    }
    fn allocate(self) -> Option<Slot> {
        let mut slot = Slot::default();
        match unsafe { dry_pool_allocate(self.0, 1, &mut slot) } {
            OK => Some(slot),
            status => {
                assert_eq!(status, FULL);
                None
            }
        }
    }
    fn cache(self, slots: u32) { assert_eq!(unsafe { dry_pool_cache(self.0, slots, std::ptr::null_mut()) }, OK) }
    fn free(self, slot: Slot) -> i32 { unsafe { dry_pool_free(self.0, slot) } }
    fn share(self, slot: Slot) -> Slot {
        let mut out = slot;
        assert_eq!(unsafe { dry_pool_share(self.0, slot, &mut out) }, OK);
        out
    }
    fn join(self, slot: Slot) -> i32 { unsafe { dry_pool_ref(self.0, slot) } }
    fn leave(self, slot: Slot) -> i32 { unsafe { dry_pool_unref(self.0, slot) } }
    fn offer(self, slot: Slot, to: u32) -> Slot {
        let mut out = slot;
        assert_eq!(unsafe { dry_pool_offer(self.0, slot, to, &mut out) }, OK);
        out
    }
    fn accept(self, slot: Slot) -> Option<Slot> {
        let mut out = slot;
        (unsafe { dry_pool_accept(self.0, slot, &mut out) } == OK).then_some(out)
    }
    fn withdraw(self, slot: Slot) -> Option<Slot> {
        let mut out = slot;
        (unsafe { dry_pool_withdraw(self.0, slot, &mut out) } == OK).then_some(out)
    }
}

fn write() {
    world().payload.with_mut(|v| unsafe { *v += 1 });
}
fn read() {
    world().payload.with(|v| unsafe { std::hint::black_box(*v) });
}

/// Runs `b` in a thread of its own beside `a`.
fn beside(a: impl FnOnce(), b: impl FnOnce() + Send + 'static) {
    let w = world();
    let thread = loom::thread::spawn(move || {
        WORLD.with(|own| *own.borrow_mut() = Some(w));
        b();
        WORLD.with(|own| *own.borrow_mut() = None);
    });
    a();
    thread.join().unwrap();
}

// ---- scenes: each begins with a fresh pool of one slot, and ends with the slot free ----

fn use_and_free(p: Peer) {
    if let Some(slot) = p.allocate() {
        write();
        assert_eq!(p.free(slot), OK);
    }
}
fn two_allocate_and_free(a: Peer, b: Peer) {
    beside(
        move || use_and_free(a),
        move || {
            use_and_free(b);
            use_and_free(b)
        },
    );
}
fn two_free_the_same(a: Peer, _b: Peer) {
    let slot = a.allocate().unwrap();
    let won = std::sync::Arc::new(Mutex::new(0));
    let other = won.clone();
    beside(
        move || *won.lock().unwrap() += (a.free(slot) == OK) as i32,
        {
            let other = other.clone();
            move || *other.lock().unwrap() += (a.free(slot) == OK) as i32
        },
    );
    assert_eq!(*other.lock().unwrap(), 1);
}
fn two_last_readers(a: Peer, b: Peer) {
    let shared = a.share(a.allocate().unwrap());
    assert_eq!(b.join(shared), OK);
    beside(
        move || {
            read();
            assert_eq!(a.leave(shared), OK)
        },
        move || {
            read();
            assert_eq!(b.leave(shared), OK)
        },
    );
}
fn a_join_and_the_last_leave(a: Peer, b: Peer) {
    let slot = a.allocate().unwrap();
    write();
    let shared = a.share(slot);
    beside(
        move || {
            read();
            assert_eq!(a.leave(shared), OK);
            use_and_free(a)
        },
        move || match b.join(shared) {
            OK => {
                read();
                assert_eq!(b.leave(shared), OK)
            }
            status => assert_eq!(status, STALE),
        },
    );
}
fn an_accept_and_a_withdraw(a: Peer, b: Peer) {
    let slot = a.allocate().unwrap();
    write();
    let offered = a.offer(slot, FAR);
    beside(
        move || {
            if let Some(own) = a.withdraw(offered) {
                write();
                assert_eq!(a.free(own), OK)
            }
        },
        move || {
            if let Some(own) = b.accept(offered) {
                write();
                assert_eq!(b.free(own), OK)
            }
        },
    );
}


// ---- the same with caches; loom's threads are one to the system, so that any may use a handle with a cache ----

fn a_cache_and_somebody_without(a: Peer, b: Peer) {
    a.cache(2);
    beside(
        move || {
            use_and_free(a);
            use_and_free(a)
        },
        move || use_and_free(b),
    );
}
fn a_cache_that_is_given_back(a: Peer, b: Peer) {
    a.cache(1);
    use_and_free(a);
    beside(move || a.cache(0), move || use_and_free(b));
}
fn two_caches(a: Peer, b: Peer) {
    a.cache(1);
    b.cache(1);
    beside(
        move || {
            use_and_free(a);
            a.cache(0)
        },
        move || {
            use_and_free(b);
            b.cache(0)
        },
    );
}
/// Nothing but the stores of the giver orders its use of the bytes before the taker's, who guesses the reference.
fn an_offer_out_of_a_cache(a: Peer, b: Peer) {
    a.cache(1);
    let first = a.allocate().unwrap();
    assert_eq!(a.free(first), OK);
    beside(
        move || {
            let slot = a.allocate().unwrap();
            write();
            let offered = a.offer(slot, FAR);
            if let Some(own) = a.withdraw(offered) {
                write();
                assert_eq!(a.free(own), OK)
            }
        },
        move || {
            if let Some(own) = b.accept(Slot { generation: first.generation + 2, ..first }) {
                write();
                assert_eq!(b.free(own), OK)
            }
        },
    );
}
fn a_sharing_out_of_a_cache(a: Peer, b: Peer) {
    a.cache(1);
    a_join_and_the_last_leave(a, b);
}

fn run(name: &str, scene: fn(Peer, Peer)) {
    let mut model = loom::model::Builder::new();
    // Faults of order show with two preemptions; three take a minute.
    model.preemption_bound = Some(if std::env::var_os("DRY_LONG").is_some() { 3 } else { 2 });
    model.max_branches = 20_000;
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let inner = count.clone();
    model.check(move || {
        inner.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let config = Config { slot_size: 64, slot_count: 1 };
        let none = std::ptr::null_mut();
        let mut size = 0u64;
        let layout;
        unsafe {
            assert_eq!(dry_pool_required_size(&config, 1, &mut size, none), OK);
            layout = Layout::from_size_align(size as usize, 64).unwrap();
            let memory = Memory { base: alloc_zeroed(layout).cast(), length: size as usize, offset: 0 };
            let w = World { memory, size: size as usize, atomics: Mutex::default(), payload: UnsafeCell::new(0) };
            WORLD.with(|own| *own.borrow_mut() = Some(Arc::new(w)));
            // All of them now: for loom an atomic begins to be with whoever touches it first.
            for offset in [0, TABLE + 40, HINTS].into_iter().chain((CELL..CELL + 48).step_by(8)) {
                atomic(memory.base as usize + offset, 8);
            }
            for row in [ROWS + 64, ROWS + 64 * FAR as usize] {
                atomic(memory.base as usize + row, 8);
                atomic(memory.base as usize + row + 8, 4);
                atomic(memory.base as usize + row + 12, 4);
            }
            atomic(memory.base as usize + 72, 4);
            assert_eq!(dry_pool_init(memory, &config, 1, 0, none), OK);
        }
        let (a, b) = (Peer::open(1), Peer::open(FAR));
        scene(a, b);
        use_and_free(a);
        assert!(a.allocate().is_some(), "the slot is lost");
        let w = world();
        unsafe {
            dry_pool_close(a.0);
            dry_pool_close(b.0);
            assert_eq!(w.size, layout.size());
            dealloc(w.memory.base.cast(), layout);
        }
        WORLD.with(|own| *own.borrow_mut() = None);
    });
    println!("  {name}: {} executions", count.load(std::sync::atomic::Ordering::Relaxed));
}

fn main() {
    run("two allocate and free", two_allocate_and_free);
    run("two free the same", two_free_the_same);
    run("two last readers", two_last_readers);
    run("a join and the last leave", a_join_and_the_last_leave);
    run("an accept and a withdraw", an_accept_and_a_withdraw);
    run("a cache and somebody without", a_cache_and_somebody_without);
    run("a cache that is given back", a_cache_that_is_given_back);
    run("two caches", two_caches);
    run("an offer out of a cache", an_offer_out_of_a_cache);
    run("a sharing out of a cache", a_sharing_out_of_a_cache);
}
