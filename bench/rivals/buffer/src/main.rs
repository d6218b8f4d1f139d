// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The rows of bench/buffer/buffer.c for the vectors of Rust: same bodies, same repetitions, same output.
use std::hint::black_box;
use std::time::Instant;

use arrayvec::ArrayVec;
use smallvec::SmallVec;
use soa_derive::StructOfArray;
use thin_vec::ThinVec;

const MILLION: u32 = 1_000_000;
const THOUSAND: u32 = 1_000;
const LARGE: u32 = 32 << 20;

#[derive(StructOfArray)]
pub struct Point {
    pub a: f64,
    pub b: f64,
    pub c: u32,
}

struct Plain {
    a: f64,
    #[allow(dead_code)]
    b: f64,
    c: u32,
}

fn time(row: &str, who: &str, elements: f64, mut body: impl FnMut()) {
    let mut run = |n: u64| {
        let from = Instant::now();
        for _ in 0..n {
            body();
        }
        from.elapsed().as_nanos() as f64
    };
    let mut n = 1;
    while run(n) < 4e6 {
        n *= 2;
    }
    let mut ns: Vec<f64> = (0..9).map(|_| run(n) / (n as f64 * elements)).collect();
    ns.sort_by(f64::total_cmp);
    println!("{row}\t{who}\t{:.4}\t{:.4}", ns[0], ns[4]);
}

// Growth alone, the preparation untimed.
fn time_growth(row: &str, who: &str) {
    let mut ns: Vec<f64> = (0..9)
        .map(|_| {
            let mut v: Vec<u32> = vec![1; (64 << 20) / 4];
            black_box(&mut v);
            let from = Instant::now();
            v.push(1);
            black_box(&mut v);
            from.elapsed().as_nanos() as f64
        })
        .collect();
    ns.sort_by(f64::total_cmp);
    println!("{row}\t{who}\t{:.4}\t{:.4}", ns[0], ns[4]);
}

macro_rules! push_rows {
    ($who:expr, $type:ty) => {
        push_rows!($who, $type, "push_1e6_grow", MILLION, <$type>::new());
        push_rows!($who, $type, "push_1e3_grow", THOUSAND, <$type>::new());
        push_rows!($who, $type, "push_1e6_reserved", MILLION, <$type>::with_capacity(MILLION as usize));
        push_rows!($who, $type, "push_1e3_reserved", THOUSAND, <$type>::with_capacity(THOUSAND as usize));
    };
    ($who:expr, $type:ty, $row:expr, $n:expr, $new:expr) => {
        time($row, $who, $n as f64, || {
            let mut v: $type = $new;
            for i in 0..$n {
                v.push(i);
            }
            black_box(v);
        });
    };
}

macro_rules! small_row {
    ($who:expr, $type:ty) => {
        time("small4", $who, 1.0, || {
            let mut v = <$type>::new();
            for i in 0..4u32 {
                v.push(i);
            }
            black_box(&mut v);
        });
    };
}

macro_rules! kept_rows {
    ($who:expr, $new:expr, $extend:ident) => {{
        let source: Vec<u32> = (0..THOUSAND).collect();
        let mut v = $new;
        v.extend(source.iter().copied());
        time("insert_remove_mid_1000", $who, 1.0, || {
            black_box(&mut v).insert(THOUSAND as usize / 2, 7);
            black_box(black_box(&mut v).remove(THOUSAND as usize / 2));
        });
        time("swap_remove_push_1000", $who, THOUSAND as f64, || {
            for i in 0..THOUSAND as usize {
                let v = black_box(&mut v);
                let x = v.swap_remove(i);
                v.push(x);
            }
        });
        time("pop_push_1000", $who, THOUSAND as f64, || {
            for _ in 0..THOUSAND {
                let v = black_box(&mut v);
                let x = v.pop().unwrap_or(0);
                v.push(x.wrapping_add(1));
            }
        });
        time("clear_extend_1000", $who, 1.0, || {
            v.clear();
            $extend!(black_box(&mut v), &source);
            black_box(&mut v);
        });
        time("extend_pop_all_1000", $who, THOUSAND as f64, || {
            let mut sum = 0u32;
            while let Some(x) = v.pop() {
                sum = sum.wrapping_add(x);
            }
            black_box(sum);
            $extend!(v, &source);
        });
    }};
}
macro_rules! from_slice {
    ($v:expr, $from:expr) => {
        $v.extend_from_slice($from)
    };
}
macro_rules! try_from_slice {
    ($v:expr, $from:expr) => {
        $v.try_extend_from_slice($from).unwrap()
    };
}

fn points() {
    let n = MILLION as usize;
    time("soa_push_1e6_grow", "soa_derive", n as f64, || {
        let mut v = PointVec::new();
        for i in 0..MILLION {
            v.push(Point { a: i as f64, b: i as f64 * 2.0, c: i });
        }
        black_box(v);
    });
    time("soa_push_1e6_grow", "Vec of structs", n as f64, || {
        let mut v = Vec::new();
        for i in 0..MILLION {
            v.push(Plain { a: i as f64, b: i as f64 * 2.0, c: i });
        }
        black_box(v);
    });
    let mut soa = PointVec::new();
    let mut aos = Vec::new();
    for i in 0..MILLION {
        soa.push(Point { a: i as f64, b: i as f64, c: i });
        aos.push(Plain { a: i as f64, b: i as f64, c: i });
    }
    time("soa_sum_u32", "soa_derive", n as f64, || {
        black_box(black_box(&soa).c.iter().fold(0u32, |s, x| s.wrapping_add(*x)));
    });
    time("soa_sum_u32", "Vec of structs", n as f64, || {
        black_box(black_box(&aos).iter().fold(0u32, |s, x| s.wrapping_add(x.c)));
    });
    time("soa_sum_f64_strict", "soa_derive", n as f64, || {
        black_box(black_box(&soa).a.iter().sum::<f64>());
    });
    time("soa_sum_f64_strict", "Vec of structs", n as f64, || {
        black_box(black_box(&aos).iter().map(|x| x.a).sum::<f64>());
    });
    time("soa_sum_f64_x8", "soa_derive", n as f64, || {
        let mut sums = [0f64; 8];
        for block in black_box(&soa).a.chunks_exact(8) {
            for k in 0..8 {
                sums[k] += block[k];
            }
        }
        black_box(sums);
    });
}

fn main() {
    push_rows!("Rust Vec", Vec<u32>);
    push_rows!("thin-vec", ThinVec<u32>);
    push_rows!("smallvec <4>", SmallVec<[u32; 4]>);
    small_row!("Rust Vec", Vec<u32>);
    small_row!("thin-vec", ThinVec<u32>);
    small_row!("smallvec <4>", SmallVec<[u32; 4]>);
    small_row!("arrayvec <4> (fixed)", ArrayVec<u32, 4>);
    kept_rows!("Rust Vec", Vec::<u32>::with_capacity(1001), from_slice);
    kept_rows!("thin-vec", ThinVec::<u32>::with_capacity(1001), from_slice);
    kept_rows!("smallvec <4>", SmallVec::<[u32; 4]>::with_capacity(1001), from_slice);
    kept_rows!("arrayvec <1024> (fixed)", ArrayVec::<u32, 1024>::new(), try_from_slice);
    push_rows!("Rust Vec", Vec<u32>, "push_128MiB_grow", LARGE, Vec::new());
    time_growth("grow_64MiB_once", "Rust Vec");
    points();
}
