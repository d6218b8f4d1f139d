// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every interleaving (and every value that a weak memory may show) of small scenarios over the real counting code. The
//! bytes of a storage are a loom cell: two accesses that nothing orders end the model.

mod shim;

use loom::cell::UnsafeCell;
use std::sync::Arc; // not loom's, whose own orders would hide what is missing in ours
use loom::thread;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

extern "C" {
    fn model_adopt(owner: *mut c_void, release: extern "C" fn(*mut c_void), a: *const shim::Allocator) -> *mut c_void;
    fn model_room(a: *const shim::Allocator) -> *mut c_void;
    fn model_ref(s: *mut c_void) -> *mut c_void;
    fn model_unref(s: *mut c_void);
    fn model_try_mut(s: *mut c_void) -> bool;
    fn model_try_detach(s: *mut c_void) -> i32;
    fn model_set_count(s: *mut c_void, count: u64);
    fn model_purse(s: *mut c_void);
}

/// The bytes behind a storage, and whether they are there still.
struct Bytes(UnsafeCell<u64>);
unsafe impl Sync for Bytes {}
unsafe impl Send for Bytes {}

impl Bytes {
    fn read(&self) -> u64 {
        self.0.with(|p| unsafe { *p })
    }
    fn write(&self, v: u64) {
        self.0.with_mut(|p| unsafe { *p = v })
    }
}

extern "C" fn release(owner: *mut c_void) {
    let bytes = unsafe { Arc::from_raw(owner as *const Bytes) };
    bytes.write(0xdead); // ordered after all that any holder did
    shim::RELEASES.fetch_add(1, SeqCst);
}

#[derive(Clone)]
struct Handle {
    storage: *mut c_void,
    bytes: Arc<Bytes>,
}
unsafe impl Send for Handle {}

impl Handle {
    fn adopted() -> Handle {
        let bytes = Arc::new(Bytes(UnsafeCell::new(1)));
        let owner = Arc::into_raw(bytes.clone()) as *mut c_void;
        Handle { storage: unsafe { model_adopt(owner, release, &shim::ALLOCATOR) }, bytes }
    }
    fn room() -> Handle {
        Handle { storage: unsafe { model_room(&shim::ALLOCATOR) }, bytes: Arc::new(Bytes(UnsafeCell::new(1))) }
    }
    fn more(&self) -> Handle {
        unsafe { model_ref(self.storage) };
        self.clone()
    }
    fn read(&self) {
        assert_ne!(self.bytes.read(), 0xdead, "read after release");
    }
    fn let_go(self) {
        unsafe { model_unref(self.storage) }
    }
    /// True: nobody else held it, and the bytes were written as by a take-back.
    fn take(self) -> bool {
        let bytes = self.bytes.clone();
        let mine = unsafe { model_try_detach(self.storage) } == 1;
        if mine { bytes.write(3) } else { self.let_go() }
        mine
    }
}

fn released(times: usize) {
    assert_eq!(shim::RELEASES.load(SeqCst), times, "releases");
}

/// Two holders read and let go; whoever is last releases, after both.
fn let_go_twice() {
    let a = Handle::adopted();
    let b = a.more();
    let t = thread::spawn(move || { b.read(); b.let_go() });
    a.read();
    a.let_go();
    t.join().unwrap();
    released(1);
}

/// Clones on both sides while the other lets go.
fn clone_storm() {
    let a = Handle::adopted();
    let b = a.more();
    let t = thread::spawn(move || { let c = b.more(); b.let_go(); c.read(); c.let_go() });
    let d = a.more();
    a.let_go();
    d.read();
    d.let_go();
    t.join().unwrap();
    released(1);
}

/// Three threads: the last may be any.
fn three_holders() {
    let a = Handle::adopted();
    let (b, c) = (a.more(), a.more());
    let t = thread::spawn(move || { b.read(); b.let_go() });
    let u = thread::spawn(move || { c.read(); c.let_go() });
    a.read();
    a.let_go();
    t.join().unwrap();
    u.join().unwrap();
    released(1);
}

/// Exclusive really is exclusive: who may write is not beside a reader.
fn write_when_alone() {
    let a = Handle::room();
    let b = a.more();
    let t = thread::spawn(move || { b.read(); b.let_go() });
    if unsafe { model_try_mut(a.storage) } { a.bytes.write(2) }
    a.let_go();
    t.join().unwrap();
}

/// Taking back races with a clone and with another taking back: at most one has it.
fn take_back() {
    let a = Handle::room();
    let b = a.more();
    let t = thread::spawn(move || { let c = b.more(); b.read(); c.let_go(); b.take() });
    let mine = a.take();
    assert!(!(t.join().unwrap() && mine), "taken twice");
}

/// A purse beside an ordinary holder.
fn purse() {
    let a = Handle::adopted();
    let b = a.more();
    let t = thread::spawn(move || { b.read(); unsafe { model_purse(b.storage) } });
    a.read();
    a.let_go();
    t.join().unwrap();
    released(1);
}

/// At the top of the count: whatever is added and subtracted, nobody ever releases.
fn saturated() {
    let a = Handle::adopted();
    unsafe { model_set_count(a.storage, (1 << 63) - 2) };
    let b = a.clone();
    let t = thread::spawn(move || { let c = b.more(); c.let_go(); b.more(); b.let_go() });
    let c = a.more();
    a.more();
    c.let_go();
    t.join().unwrap();
    a.clone().let_go();
    released(0);
    unsafe { model_set_count(a.storage, 1) }; // so that nothing is leaked in the model
    a.let_go();
}

fn explore(name: &str, scenario: fn()) {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    RUNS.store(0, SeqCst);
    let started = std::time::Instant::now();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(match name { "saturated" => 2, "three_holders" => 3, _ => 5 });
    model.check(move || {
        shim::begin();
        RUNS.fetch_add(1, SeqCst);
        scenario();
        shim::end();
    });
    println!("{name}: ok, {} executions, {:.1} s", RUNS.load(SeqCst), started.elapsed().as_secs_f64());
}

/// The model must see that letting go without an order is wrong, or it sees nothing. In a process of its own: a panic
/// inside a callback from C ends it.
fn must_be_rejected(name: &str) {
    let me = std::env::current_exe().expect("the path of this program");
    let done = std::process::Command::new(me).args(["weakened", name]).output().expect("to start this program again");
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    let why = words.lines().find(|line| line.contains("Causality violation"));
    match why {
        Some(line) if !done.status.success() => println!("{name} with a relaxed unref: rejected, as it must be ({})", line.trim()),
        _ => {
            eprintln!("{name}: a relaxed unref was accepted, or rejected for another reason: {words}");
            std::process::exit(1)
        }
    }
}

const SCENARIOS: [(&str, fn()); 7] = [
    ("let_go_twice", let_go_twice),
    ("clone_storm", clone_storm),
    ("three_holders", three_holders),
    ("write_when_alone", write_when_alone),
    ("take_back", take_back),
    ("purse", purse),
    ("saturated", saturated),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, name] = &arguments[..] {
        assert_eq!(word, "weakened");
        shim::WEAK.store(true, SeqCst);
        let (name, scenario) = SCENARIOS.iter().find(|(n, _)| n == name).expect("the name of a scenario");
        return explore(name, *scenario);
    }
    for (name, scenario) in SCENARIOS {
        explore(name, scenario);
    }
    for name in ["let_go_twice", "write_when_alone", "take_back", "purse"] {
        must_be_rejected(name);
    }
}
