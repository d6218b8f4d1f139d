// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Rust rivals of the pool bench: one line "row, name, nanoseconds" each, as bench/pool/ours.c prints them.
//! Names that begin with "shm " can live in shared memory. VarSlotPool: size classes. PoolAllocator: buckets of one size,
//! over UniqueIndexSet, which is measured by itself as well; RobustUniqueIndexSet knows the owner of an index, and has the
//! only recovery beside VarSlotPool's. ArrayQueue: a bounded queue of indices, in one process only.

extern crate iceoryx2_bb_loggers; // the crates below do not link without one

use crossbeam_queue::ArrayQueue;
use iceoryx2_bb_lock_free::mpmc::robust_unique_index_set::{OwnerId, StaticRobustUniqueIndexSet};
use iceoryx2_bb_lock_free::mpmc::unique_index_set::FixedSizeUniqueIndexSet;
use iceoryx2_bb_lock_free::mpmc::unique_index_set_enums::ReleaseMode;
use iceoryx2_bb_memory::pool_allocator::{Allocate, FixedSizePoolAllocator, Layout};
use shm_primitives::{HeapRegion, SizeClassConfig, SlotRef, VarSlotPool};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SLOTS: u32 = 16384;
const BATCH: usize = 1024;
const PAIRS: usize = 200 * BATCH;
const TIMES: usize = 20;

trait Pool: Sync {
    type Slot: Copy + Send + Default;
    fn allocate(&self, peer: u8) -> Self::Slot;
    fn free(&self, slot: Self::Slot);
}

struct Indices(ArrayQueue<u32>);
impl Pool for Indices {
    type Slot = u32;
    fn allocate(&self, _peer: u8) -> u32 { self.0.pop().unwrap() }
    fn free(&self, slot: u32) { self.0.push(slot).unwrap() }
}

#[derive(Clone, Copy, Default)]
struct MaybeSlot(Option<SlotRef>);
unsafe impl Send for MaybeSlot {}
struct VarSlots(VarSlotPool);
unsafe impl Sync for VarSlots {}
impl Pool for VarSlots {
    type Slot = MaybeSlot;
    fn allocate(&self, peer: u8) -> MaybeSlot { MaybeSlot(Some(self.0.allocate(64, peer).unwrap())) }
    fn free(&self, slot: MaybeSlot) { self.0.free(slot.0.unwrap()).unwrap() }
}

const SLOTS_USIZE: usize = SLOTS as usize;
struct IndexSet(Box<FixedSizeUniqueIndexSet<SLOTS_USIZE>>);
impl Pool for IndexSet {
    type Slot = u32;
    fn allocate(&self, _peer: u8) -> u32 { unsafe { self.0.acquire_raw_index().unwrap() } }
    fn free(&self, slot: u32) { unsafe { self.0.release_raw_index(slot, ReleaseMode::Default); } }
}

#[derive(Clone, Copy, Default)]
struct MaybeBucket(Option<NonNull<u8>>);
unsafe impl Send for MaybeBucket {}
/// Needs room for more indices than there are buckets.
struct Buckets(Box<FixedSizePoolAllocator<{ SLOTS_USIZE + 2 }>>);
impl Pool for Buckets {
    type Slot = MaybeBucket;
    fn allocate(&self, _peer: u8) -> MaybeBucket {
        MaybeBucket(Some(self.0.allocate(Layout::from_size_align(64, 64).unwrap()).unwrap()))
    }
    fn free(&self, slot: MaybeBucket) {
        use iceoryx2_bb_memory::pool_allocator::Deallocate;
        unsafe { self.0.deallocate(slot.0.unwrap(), Layout::from_size_align_unchecked(64, 64)) }
    }
}

fn pairs<P: Pool>(p: &P, peer: u8) {
    for _ in 0..PAIRS { p.free(p.allocate(peer)) }
}

fn batches<P: Pool>(p: &P, peer: u8, order: &[usize]) {
    let mut slots = vec![P::Slot::default(); BATCH];
    for _ in 0..PAIRS / BATCH {
        for slot in slots.iter_mut() { *slot = p.allocate(peer) }
        for &i in order { p.free(slots[i]) }
    }
}

#[repr(align(64))]
struct Line(AtomicU64);

/// Through a ring of 1,024 places that says every 32 how far it is: bench/pool/ring.h has the same.
const RING: u64 = 1024;
const RUN: u64 = 32;

fn wait_past(counter: &Line, seen: &mut u64, i: u64) {
    while *seen <= i { *seen = counter.0.load(Ordering::Acquire) }
}

fn handoff<P: Pool>(p: &P) {
    let (put, got) = (&Line(AtomicU64::new(0)), &Line(AtomicU64::new(0)));
    let mut ring = vec![P::Slot::default(); RING as usize];
    let places = ring.as_mut_ptr() as usize;
    let place = |i: u64| (places as *mut P::Slot).wrapping_add((i % RING) as usize);
    let n = PAIRS as u64;
    std::thread::scope(|s| {
        s.spawn(move || {
            let mut seen = 0;
            for i in 0..n {
                wait_past(put, &mut seen, i);
                let slot = unsafe { place(i).read() };
                if (i + 1) % RUN == 0 { got.0.store(i + 1, Ordering::Release) }
                p.free(slot);
            }
        });
        let mut seen = 0;
        for i in 0..n {
            let slot = p.allocate(1);
            if i >= RING { wait_past(got, &mut seen, i - RING) }
            unsafe { place(i).write(slot) };
            if (i + 1) % RUN == 0 { put.0.store(i + 1, Ordering::Release) }
        }
    });
}

/// Of one thread the least of all times counts, of two the median.
fn row(name: &str, who: &str, n: usize, mut body: impl FnMut()) {
    let mut all = [0.0f64; TIMES];
    for ns in all.iter_mut() {
        let start = Instant::now();
        body();
        *ns = start.elapsed().as_nanos() as f64 / n as f64;
    }
    all.sort_by(f64::total_cmp);
    println!("{name}\t{who}\t{:.2}", if name.ends_with("_1t") { all[0] } else { all[TIMES / 2] });
}

fn once(name: &str, who: &str, body: impl FnOnce()) {
    let start = Instant::now();
    body();
    println!("{name}\t{who}\t{:.2}", start.elapsed().as_nanos() as f64);
}

fn all<P: Pool>(who: &str, p: &P, order: &[usize]) {
    row("pair_1t", who, PAIRS, || pairs(p, 1));
    row("pair_2t", who, PAIRS, || std::thread::scope(|s| {
        s.spawn(|| pairs(p, 2));
        pairs(p, 1)
    }));
    row("batch1024_1t", who, PAIRS, || batches(p, 1, order));
    row("batch1024_2t", who, PAIRS, || std::thread::scope(|s| {
        s.spawn(|| batches(p, 2, order));
        batches(p, 1, order)
    }));
    row("handoff", who, PAIRS, || handoff(p));
}

fn main() {
    let mut order: Vec<usize> = (0..BATCH).collect();
    let mut random = 88172645463325252u64;
    for i in (1..BATCH).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(i, random as usize % (i + 1));
    }
    let configs = [SizeClassConfig { slot_size: 64, slot_count: SLOTS }];
    let memory = HeapRegion::new_zeroed(VarSlotPool::required_size(&configs));
    let slots = VarSlots(unsafe { VarSlotPool::init(memory.region(), 0, &configs) });
    all("shm VarSlotPool", &slots, &order);
    for _ in 0..10_000 { slots.allocate(2); }
    once("reclaim_10000", "shm VarSlotPool", || slots.0.reclaim_peer_slots(2));

    all("shm iceoryx2 UniqueIndexSet (indices)", &IndexSet(Box::new(FixedSizeUniqueIndexSet::new())), &order);
    let layout = Layout::from_size_align(64, 64).unwrap();
    let bytes = unsafe { std::alloc::alloc_zeroed(Layout::from_size_align(64 * SLOTS_USIZE, 64).unwrap()) };
    let buckets = FixedSizePoolAllocator::new(layout, NonNull::new(bytes).unwrap(), 64 * SLOTS_USIZE);
    all("shm iceoryx2 PoolAllocator", &Buckets(Box::new(buckets)), &order);
    let robust = Box::new(StaticRobustUniqueIndexSet::<SLOTS_USIZE>::new());
    let owner = OwnerId::new(2).unwrap();
    for _ in 0..10_000 { robust.acquire(owner).unwrap(); }
    let recover = || { robust.recover(ReleaseMode::Default, |whose, _| whose == owner, |_, _| ()); };
    once("reclaim_10000", "shm iceoryx2 RobustUniqueIndexSet (indices)", recover);

    let queue = ArrayQueue::new(SLOTS as usize);
    for i in 0..SLOTS { queue.push(i).unwrap() }
    all("crossbeam ArrayQueue (indices)", &Indices(queue), &order);
}
