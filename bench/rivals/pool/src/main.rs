// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Rust rivals of the pool bench: one line "row, name, nanoseconds" each, as bench/pool/ours.c prints them.
//! VarSlotPool: size classes in shared memory. ArrayQueue: a bounded queue of indices, in one process only.

use crossbeam_queue::ArrayQueue;
use shm_primitives::{HeapRegion, SizeClassConfig, SlotRef, VarSlotPool};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SLOTS: u32 = 16384;
const BATCH: usize = 1024;
const PAIRS: usize = 2_000_000;

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

fn handoff<P: Pool>(p: &P) {
    let (put, got) = (&Line(AtomicU64::new(0)), &Line(AtomicU64::new(0)));
    let mut ring = vec![P::Slot::default(); 64];
    let places = ring.as_mut_ptr() as usize;
    let place = |i: u64| (places as *mut P::Slot).wrapping_add(i as usize % 64);
    let n = PAIRS as u64 / 4;
    std::thread::scope(|s| {
        s.spawn(move || for i in 0..n {
            while put.0.load(Ordering::Acquire) == i {}
            let slot = unsafe { place(i).read() };
            got.0.store(i + 1, Ordering::Release);
            p.free(slot);
        });
        for i in 0..n {
            let slot = p.allocate(1);
            while i - got.0.load(Ordering::Acquire) == 64 {}
            unsafe { place(i).write(slot) };
            put.0.store(i + 1, Ordering::Release);
        }
    });
}

fn row(name: &str, who: &str, n: usize, body: impl FnOnce()) {
    let start = Instant::now();
    body();
    println!("{name}\t{who}\t{:.2}", start.elapsed().as_nanos() as f64 / n as f64);
}

fn all<P: Pool>(who: &str, p: &P, order: &[usize]) {
    pairs(p, 1);
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
    row("handoff", who, PAIRS / 4, || handoff(p));
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
    all("shm-primitives VarSlotPool", &slots, &order);
    for _ in 0..10_000 { slots.allocate(2); }
    row("reclaim_10000", "shm-primitives VarSlotPool", 1, || slots.0.reclaim_peer_slots(2));

    let queue = ArrayQueue::new(SLOTS as usize);
    for i in 0..SLOTS { queue.push(i).unwrap() }
    all("crossbeam ArrayQueue (indices)", &Indices(queue), &order);
}
