// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The rows of bench/buffer/buffer.c for the vectors of C++: std, and what is installed of Boost and Abseil.
#include "../../buffer/harness.h"

#include <utility>
#include <vector>
#if __has_include(<boost/container/small_vector.hpp>)
#include <boost/container/small_vector.hpp>
#include <boost/container/static_vector.hpp>
#define HAS_BOOST 1
#endif
#if __has_include(<absl/container/inlined_vector.h>)
#include <absl/container/inlined_vector.h>
#define HAS_ABSEIL 1
#endif

enum : uint32_t { MILLION = 1000000, THOUSAND = 1000, LARGE = 32u << 20, SMALLS = 1000 };
static uint32_t source[THOUSAND];

template <class V, uint32_t n, bool reserved> OUT_OF_LINE void push()
{
    V v;
    if (reserved) v.reserve(n);
    for (uint32_t i = 0; i < n; i++)
        v.push_back(i);
    V moved = std::move(v);
    BARRIER(moved);
}

template <class V> OUT_OF_LINE void small4()
{
    for (int n = 0; n < SMALLS; n++) {
        V v;
        for (uint32_t i = 0; i < 4; i++)
            v.push_back(i);
        BARRIER(v);
    }
}

template <class V> struct kept {
    static V &v()
    {
        static V kept;
        return kept;
    }
    static void fill()
    {
        v().clear();
        v().insert(v().end(), source, source + THOUSAND);
    }
    static OUT_OF_LINE void insert_remove()
    {
        V &v = kept::v();
        BARRIER(v);
        v.insert(v.begin() + THOUSAND / 2, 7u);
        BARRIER(v);
        uint32_t x = v[THOUSAND / 2];
        v.erase(v.begin() + THOUSAND / 2);
        BARRIER(x);
    }
    static OUT_OF_LINE void swap_remove()
    {
        V &v = kept::v();
        for (uint32_t i = 0; i < THOUSAND; i++) {
            BARRIER(v);
            uint32_t x = v[i];
            v[i] = v.back();
            v.pop_back();
            v.push_back(x);
        }
    }
    static OUT_OF_LINE void pop_push()
    {
        V &v = kept::v();
        for (uint32_t i = 0; i < THOUSAND; i++) {
            BARRIER(v);
            uint32_t x = v.back();
            v.pop_back();
            v.push_back(x + 1);
        }
    }
    static OUT_OF_LINE void clear_extend()
    {
        V &v = kept::v();
        v.clear();
        BARRIER(v);
        v.insert(v.end(), source, source + THOUSAND);
        BARRIER(v);
    }
    static OUT_OF_LINE void pop_all()
    {
        V &v = kept::v();
        uint32_t sum = 0;
        while (!v.empty()) {
            sum += v.back();
            v.pop_back();
        }
        BARRIER(sum);
        v.insert(v.end(), source, source + THOUSAND);
    }
};

static std::vector<uint32_t> large;
static void prepare_large()
{
    large = std::vector<uint32_t>((64u << 20) / 4, 1u);
    BARRIER(large);
}
static OUT_OF_LINE void grow_large() { large.push_back(1); }

template <class V> void kept_rows(std::vector<row> &rows, const char *who)
{
    kept<V>::v().reserve(THOUSAND + 1);
    kept<V>::fill();
    rows.push_back({"insert_remove_mid_1000", who, kept<V>::insert_remove, 1, nullptr});
    rows.push_back({"swap_remove_push_1000", who, kept<V>::swap_remove, THOUSAND, nullptr});
    rows.push_back({"pop_push_1000", who, kept<V>::pop_push, THOUSAND, nullptr});
    rows.push_back({"clear_extend_1000", who, kept<V>::clear_extend, 1, nullptr});
    rows.push_back({"extend_pop_all_1000", who, kept<V>::pop_all, THOUSAND, nullptr});
}

template <class V> void push_rows(std::vector<row> &rows, const char *who)
{
    rows.push_back({"push_1e6_grow", who, push<V, MILLION, false>, MILLION, nullptr});
    rows.push_back({"push_1e3_grow", who, push<V, THOUSAND, false>, THOUSAND, nullptr});
    rows.push_back({"push_1e6_reserved", who, push<V, MILLION, true>, MILLION, nullptr});
    rows.push_back({"push_1e3_reserved", who, push<V, THOUSAND, true>, THOUSAND, nullptr});
}

int main(int argc, char **argv)
{
    std::vector<row> rows;
    for (uint32_t i = 0; i < THOUSAND; i++)
        source[i] = i;
    push_rows<std::vector<uint32_t>>(rows, "std::vector");
    kept_rows<std::vector<uint32_t>>(rows, "std::vector");
    rows.push_back({"small4", "std::vector", small4<std::vector<uint32_t>>, SMALLS, nullptr});
    rows.push_back({"push_128MiB_grow", "std::vector", push<std::vector<uint32_t>, LARGE, false>, LARGE, nullptr});
    rows.push_back({"grow_64MiB_once", "std::vector", grow_large, 1, prepare_large});
#ifdef HAS_BOOST
    namespace bc = boost::container;
    push_rows<bc::small_vector<uint32_t, 4>>(rows, "boost small_vector<4>");
    kept_rows<bc::small_vector<uint32_t, 4>>(rows, "boost small_vector<4>");
    rows.push_back({"small4", "boost small_vector<4>", small4<bc::small_vector<uint32_t, 4>>, SMALLS, nullptr});
    rows.push_back({"small4", "boost static_vector<4> (fixed)", small4<bc::static_vector<uint32_t, 4>>, SMALLS, nullptr});
    kept_rows<bc::static_vector<uint32_t, 1024>>(rows, "boost static_vector<1024> (fixed)");
#else
    fprintf(stderr, "skipped: boost (Debian: libboost-dev) was not found\n");
#endif
#ifdef HAS_ABSEIL
    push_rows<absl::InlinedVector<uint32_t, 4>>(rows, "absl::InlinedVector<4>");
    kept_rows<absl::InlinedVector<uint32_t, 4>>(rows, "absl::InlinedVector<4>");
    rows.push_back({"small4", "absl::InlinedVector<4>", small4<absl::InlinedVector<uint32_t, 4>>, SMALLS, nullptr});
#else
    fprintf(stderr, "skipped: absl (Debian: libabsl-dev) was not found\n");
#endif
    return run_rows(rows.data(), rows.size(), argc, argv);
}
