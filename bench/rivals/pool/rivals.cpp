// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The Boost rivals of the pool bench: the rows of bench/pool/ours.c for interprocess::managed_shared_memory, a heap
// in shared memory behind a lock, and lockfree::stack, of indices, which can lie there too.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/lockfree/stack.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#define _Alignas alignas
#define SLOT void *
#include "../../pool/ring.h"

static constexpr uint32_t SLOTS = 16384, BATCH = 1024, PAIRS = 200 * BATCH, TIMES = 20;
static std::vector<uint32_t> order(BATCH);
static ring the_ring;

struct heap {
    static constexpr const char *name = "shm boost managed_shared_memory";
    std::string file = "drystone-bench-" + std::to_string(getpid());
    boost::interprocess::managed_shared_memory memory{boost::interprocess::create_only, file.c_str(), 8u << 20};
    ~heap() { boost::interprocess::shared_memory_object::remove(file.c_str()); }
    void *allocate() { return memory.allocate(64); }
    void free(void *slot) { memory.deallocate(slot); }
};

struct stack {
    static constexpr const char *name = "shm boost lockfree stack (indices)";
    boost::lockfree::stack<uint32_t, boost::lockfree::capacity<SLOTS>> indices;
    stack()
    {
        for (uint32_t i = 0; i < SLOTS; i++)
            indices.push(i);
    }
    void *allocate()
    {
        uint32_t index;
        if (!indices.pop(index)) std::abort();
        return reinterpret_cast<void *>(static_cast<uintptr_t>(index));
    }
    void free(void *slot)
    {
        if (!indices.push(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(slot)))) std::abort();
    }
};

template <class P> static void pairs(P *p)
{
    for (uint32_t i = 0; i < PAIRS; i++)
        p->free(p->allocate());
}

template <class P> static void batches(P *p)
{
    std::vector<void *> slots(BATCH);
    for (uint32_t round = 0; round < PAIRS / BATCH; round++) {
        for (void *&slot : slots)
            slot = p->allocate();
        for (uint32_t i : order)
            p->free(slots[i]);
    }
}

template <class P> static void put(P *p)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++)
        ring_put(&the_ring, i, &seen, p->allocate());
}

template <class P> static void get(P *p)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++)
        p->free(ring_get(&the_ring, i, &seen));
}

// Of one thread the least of all times counts, of two the median.
template <class P> static void row(const char *row, P *p, void (*one)(P *), void (*two)(P *))
{
    std::vector<double> ns(TIMES);
    for (double &n : ns) {
        the_ring.put = the_ring.got = 0;
        auto start = std::chrono::steady_clock::now();
        std::thread other;
        if (two) other = std::thread(two, p);
        one(p);
        if (two) other.join();
        n = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
    }
    std::sort(ns.begin(), ns.end());
    std::printf("%s\t%s\t%.2f\n", row, P::name, ns[two ? TIMES / 2 : 0] / PAIRS);
}

template <class P> static void all()
{
    auto p = std::make_unique<P>();
    row<P>("pair_1t", p.get(), pairs, nullptr);
    row<P>("pair_2t", p.get(), pairs, pairs);
    row<P>("batch1024_1t", p.get(), batches, nullptr);
    row<P>("batch1024_2t", p.get(), batches, batches);
    row<P>("handoff", p.get(), put, get);
}

int main()
{
    for (uint32_t i = 0; i < BATCH; i++)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    all<heap>();
    all<stack>();
}
