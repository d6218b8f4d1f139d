// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Rust rivals of the storage bench: one line "row, name, nanoseconds" each, as bench/storage/ours.c prints them.

use arrow_buffer::{BooleanBuffer, Buffer as ArrowBuffer, MutableBuffer};
use bytes::{Bytes, BytesMut};
use polars_arrow::bitmap::Bitmap;
use polars_buffer::Buffer as PolarsBuffer;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::Instant;

const REPEATS: usize = 9;
const BITS: usize = 1 << 16;

fn bench(row: &str, who: &str, mut body: impl FnMut()) {
    let mut n = 16u64;
    let mut least = f64::MAX;
    let mut once = |n: u64| {
        let start = Instant::now();
        for _ in 0..n { body() }
        start.elapsed().as_nanos() as f64
    };
    while once(n) < 2e6 { n *= 2 }
    for _ in 0..REPEATS { least = least.min(once(n) / n as f64) }
    println!("{row}\t{who}\t{least:.4}");
}

fn pin(cpu: usize) {
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, std::mem::size_of_val(&set), &set);
    }
}

/// Two threads at once, the slower one, median.
fn bench_two<T: Clone + Send + Sync>(who: &str, shared: &T) {
    const N: u64 = 100_000;
    let mut times: Vec<f64> = (0..REPEATS).map(|_| {
        let barrier = Barrier::new(2);
        let run = |cpu| {
            pin(cpu);
            barrier.wait();
            let start = Instant::now();
            for _ in 0..N { black_box(black_box(shared).clone()); }
            start.elapsed().as_nanos() as f64 / N as f64
        };
        std::thread::scope(|s| {
            let other = s.spawn(|| run(1));
            run(0).max(other.join().unwrap())
        })
    }).collect();
    times.sort_by(f64::total_cmp);
    println!("clone_drop_2t\t{who}\t{:.4}", times[REPEATS / 2]);
}

fn clones() {
    let b = Bytes::from(vec![0u8; 1000]);
    let _second = b.clone(); // so that it has a count
    let a = ArrowBuffer::from_vec(vec![0u8; 1000]);
    let p = PolarsBuffer::from(vec![0u8; 1000]);
    let arc: Arc<[u8]> = Arc::from(vec![0u8; 1000]);
    let t = triomphe::Arc::new(0u64);
    bench("clone_drop", "bytes", || { black_box(black_box(&b).clone()); });
    bench("clone_drop", "arrow-buffer", || { black_box(black_box(&a).clone()); });
    bench("clone_drop", "polars-buffer", || { black_box(black_box(&p).clone()); });
    bench("clone_drop", "std Arc", || { black_box(black_box(&arc).clone()); });
    bench("clone_drop", "triomphe", || { black_box(black_box(&t).clone()); });
    bench("slice_drop", "bytes", || { black_box(black_box(&b).slice(10..990)); });
    bench("slice_drop", "arrow-buffer", || { black_box(black_box(&a).slice_with_length(10, 980)); });
    bench("slice_drop", "polars-buffer", || { black_box(black_box(&p).clone().sliced(10..990)); });
    let fixed = Bytes::from_static(b"0123456789");
    bench("clone_drop_static", "bytes", || { black_box(black_box(&fixed).clone()); });
    bench_two("bytes", &b);
    bench_two("arrow-buffer", &a);
    bench_two("polars-buffer", &p);
    bench_two("std Arc", &arc);
    bench_two("triomphe", &t);
}

/// As our own buffers: the contents are not set.
#[allow(clippy::uninit_vec)]
fn uninit(n: usize) -> Vec<u8> {
    let mut v = Vec::with_capacity(n);
    unsafe { v.set_len(n) };
    v
}

fn owning() {
    let mut v = vec![1u8; 1000];
    bench("wrap_takeback", "bytes", || { v = Vec::from(black_box(Bytes::from(std::mem::take(&mut v)))); });
    bench("wrap_takeback", "arrow-buffer", || {
        v = black_box(ArrowBuffer::from_vec(std::mem::take(&mut v))).into_vec().unwrap();
    });
    bench("wrap_takeback", "polars-buffer", || {
        v = match black_box(PolarsBuffer::from(std::mem::take(&mut v))).into_mut() {
            either::Either::Right(v) => v,
            _ => unreachable!(),
        };
    });
    let mut arc = Arc::new([0u8; 64]);
    let mut t = triomphe::Arc::new([0u8; 64]);
    let mut p = PolarsBuffer::from(vec![0u8; 64]);
    bench("unique_mut", "std Arc", || { if let Some(x) = Arc::get_mut(black_box(&mut arc)) { x[0] = 1 } });
    bench("unique_mut", "triomphe", || { triomphe::Arc::make_mut(black_box(&mut t))[0] = 1 });
    bench("unique_mut", "polars-buffer", || { if let Some(x) = black_box(&mut p).get_mut_slice() { x[0] = 1 } });
    for (row, n) in [("create_64", 64usize), ("create_4k", 4096), ("create_1m", 1 << 20)] {
        bench(row, "bytes (not 64-aligned)", || { black_box(Bytes::from(uninit(n))); });
        bench(row, "bytes BytesMut (not 64-aligned)", || { black_box(BytesMut::with_capacity(n).freeze()); });
        bench(row, "arrow-buffer", || { black_box(ArrowBuffer::from(MutableBuffer::with_capacity(n))); });
        bench(row, "polars-buffer (not 64-aligned)", || { black_box(PolarsBuffer::from(uninit(n))); });
        bench(row, "std Arc (not 64-aligned)", || { black_box(Arc::<[u8]>::new_uninit_slice(n)); });
    }
}

fn bitmaps() {
    let bools: Vec<bool> = (0..BITS + 64).map(|i| (i as u64).wrapping_mul(2654435761) >> 7 & 1 == 1).collect();
    let (x, y) = (BooleanBuffer::from(&bools[..BITS]), BooleanBuffer::from(&bools[64..]));
    let odd = BooleanBuffer::from(&bools[..BITS + 3]).slice(3, BITS);
    bench("bitmap_count", "arrow-buffer", || { black_box(black_box(&x).count_set_bits()); });
    bench("bitmap_and", "arrow-buffer", || { black_box(black_box(&x) & &y); });
    bench("bitmap_and_unequal", "arrow-buffer", || { black_box(black_box(&x) & &odd); });
    bench("bitmap_slice_count", "arrow-buffer", || { black_box(black_box(&x).slice(1001, BITS - 2002).count_set_bits()); });
    let (x, y) = (Bitmap::from(&bools[..BITS]), Bitmap::from(&bools[64..]));
    let odd = Bitmap::from(&bools[..BITS + 3]).sliced(3, BITS);
    let (slice, offset, len) = x.as_slice();
    bench("bitmap_count", "polars", || { black_box(polars_arrow::bitmap::utils::count_zeros(black_box(slice), offset, len)); });
    bench("bitmap_and", "polars", || { black_box(black_box(&x) & &y); });
    bench("bitmap_and_unequal", "polars", || { black_box(black_box(&x) & &odd); });
    bench("bitmap_slice_count", "polars", || {
        let (slice, offset, _) = black_box(&x).as_slice();
        black_box(polars_arrow::bitmap::utils::count_zeros(slice, offset + 1001, BITS - 2002));
    });
}

fn main() {
    pin(0);
    clones();
    owning();
    bitmaps();
}
