/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The life of one slot among peers that may die between any two steps: the protocol of pool/pool.h, each CAS one atomic
 * step. Two peers allocate, free, share, join, leave, offer and accept as they like, and put the slot into a cache of
 * theirs, take it out and give it back, which they look at and then store; whoever is left reclaims the dead, may die in
 * it, and in the end a judge who does not die reclaims whoever is dead.
 *
 * Claims: the slot never has a writer and anybody else; it is not lost if nobody is killed, and after a reclaim never.
 *
 * With -DBUG_...  one step is done wrongly, and the claim must break (models/pool/run.sh):
 *   BUG_TWO_STEPS    accept and withdraw look, then store, instead of one CAS
 *   BUG_NO_VERSION   allocate does not take a new version
 *   BUG_HINT_FIRST   free sets the hint before the word
 *   BUG_JOIN_BY_LOOK a reader sets its bit and looks at the word instead of stepping it
 *   BUG_WORD_FIRST   share steps the word before it sets the reader bit
 *   BUG_NO_MENDING   reclaim does not restore hints
 *   BUG_STEAL        who finds no hint takes the slot out of another's cache by CAS
 *   BUG_CACHE_KEPT   reclaim goes by HELD and OFFERED alone
 *   BUG_RETURN_HINT_FIRST  a cache sets the hint before it stores FREE
 */
#define PEERS 2
#define JUDGE 3
#ifndef OPS
#define OPS 3
#endif

mtype = { FREE, HELD, SHARED, OFFERED };
typedef Word { mtype state; byte holder; byte version };

Word word;
bool hint = true;
bool reader[4];
byte note_version, note_to;  /* written only by who holds the slot */
bool dead[4];
bool killed; /* somebody, in the middle of something */

/* What peers believe; not part of the protocol. */
bool writes[4], reads[4];
byte shared_ref, offered_ref; /* on the board for everybody */

#define SEEN(w) (word.state == w.state && word.holder == w.holder && word.version == w.version)
#define LOOK(w) atomic { w.state = word.state; w.holder = word.holder; w.version = word.version }
#define STEP(w, s, h, v) \
    atomic { if :: SEEN(w) -> word.state = s; word.holder = h; word.version = v; done = true \
                :: else -> done = false fi }
#define NOBODY_READS (!reader[1] && !reader[2] && !reader[3])
#define MAY_DIE if :: true :: me != JUDGE -> atomic { killed = true; goto death } fi

#define OTHERS_LIVE_USE(p) \
    ((p != 1 && !dead[1] && (writes[1] || reads[1])) || (p != 2 && !dead[2] && (writes[2] || reads[2])))

#ifdef BUG_NO_VERSION
#define NEXT(v) 1
#else
#define NEXT(v) ((v) + 1)
#endif

inline retire() { /* from w; done tells */
#ifdef BUG_HINT_FIRST
    hint = true;
    MAY_DIE;
#endif
    STEP(w, FREE, 0, w.version);
    if
    :: done ->
        MAY_DIE;
#ifndef BUG_HINT_FIRST
        hint = true
#endif
    :: else
    fi
}

inline settle() {
    do
    :: LOOK(w);
       if
       :: w.state != SHARED -> break
       :: else
       fi;
       if
       :: NOBODY_READS -> retire(); if :: done -> break :: else fi
       :: else -> STEP(w, SHARED, 0, w.version + 1); if :: done -> break :: else fi
       fi
    od
}

#define IS_FREE(w) (w.state == FREE && w.holder == 0)
#define IS_CACHED_BY(w, p) (w.state == FREE && w.holder == p)
#define STORE(s, h, v) word.state = s; word.holder = h; word.version = v

/* Not by STEP: of a word that only I change. */
inline take_from_cache() {
    LOOK(w);
    if
    :: IS_CACHED_BY(w, me) ->
        MAY_DIE;
        atomic {
            STORE(HELD, me, NEXT(w.version));
            assert(!OTHERS_LIVE_USE(me)); assert(!writes[me]); ref = NEXT(w.version); writes[me] = true
        }
    :: else
    fi
}

inline free_into_cache() {
    LOOK(w);
    if
    :: w.state == HELD && w.holder == me && w.version == ref ->
        assert(writes[me]);
        writes[me] = false;
        MAY_DIE;
        atomic { STORE(FREE, me, w.version) }
    :: else
    fi
}

inline refill() {
    atomic { done = hint; hint = false }
    if
    :: done ->
        MAY_DIE;
        LOOK(w);
        if
        :: IS_FREE(w) -> STEP(w, FREE, me, NEXT(w.version))
        :: else
        fi
    :: else
    fi
}

inline give_back() {
    LOOK(w);
    if
    :: IS_CACHED_BY(w, me) ->
#ifdef BUG_RETURN_HINT_FIRST
        hint = true;
        MAY_DIE;
        atomic { STORE(FREE, 0, w.version) }
#else
        atomic { STORE(FREE, 0, w.version) }
        MAY_DIE;
        hint = true
#endif
    :: else
    fi
}

#ifdef BUG_STEAL
inline steal() {
    LOOK(w);
    if
    :: IS_CACHED_BY(w, 3 - me) ->
        atomic {
            STEP(w, HELD, me, NEXT(w.version));
            if :: done -> ref = NEXT(w.version); writes[me] = true :: else fi
        }
    :: else
    fi
}
#endif

inline allocate() {
    atomic { done = hint; hint = false }
    if
    :: done ->
        MAY_DIE;
        LOOK(w);
        if
        :: IS_FREE(w) ->
            atomic {
                STEP(w, HELD, me, NEXT(w.version));
                if :: done -> assert(!OTHERS_LIVE_USE(me)); assert(!writes[me]); ref = NEXT(w.version); writes[me] = true
                   :: else fi
            }
        :: else
        fi
    :: else
    fi
}

inline free_one() { /* ref may be old: freed twice, given away */
    LOOK(w);
    if
    :: w.state == HELD && w.holder == me && w.version == ref ->
        /* A peer that frees what it does not hold any more must not get here. */
        assert(writes[me]);
        writes[me] = false;
        retire()
    :: else
    fi
}

inline give(kind, to) {
    LOOK(w);
    if
    :: w.state == HELD && w.holder == me && w.version == ref ->
        atomic { note_version = w.version + 1; note_to = to }
        MAY_DIE;
        if
        :: kind == SHARED ->
#ifdef BUG_WORD_FIRST
            writes[me] = false;
            STEP(w, SHARED, 0, w.version + 1);
            MAY_DIE;
            reader[me] = true; reads[me] = true;
#else
            reader[me] = true;
            MAY_DIE;
            atomic { STEP(w, SHARED, 0, w.version + 1); assert(done); writes[me] = false; reads[me] = true }
#endif
            my_read = w.version + 1; shared_ref = my_read
        :: else ->
            atomic { STEP(w, OFFERED, me, w.version + 1); assert(done); writes[me] = false }
            offered_ref = w.version + 1
        fi
    :: else
    fi
}

inline take() { /* accept or withdraw, whichever is ours */
    LOOK(w);
    if
    :: w.state == OFFERED && w.version == offered_ref && (w.holder == me || note_to == me) ->
        atomic {
#ifdef BUG_TWO_STEPS
            word.state = HELD; word.holder = me; word.version = w.version + 1; done = true;
#else
            STEP(w, HELD, me, w.version + 1);
#endif
            if :: done -> assert(!OTHERS_LIVE_USE(me)); ref = w.version + 1; writes[me] = true :: else fi
        }
    :: else
    fi
}

#define IS_SHARING(g) (w.state == SHARED && note_version == g)

inline join() {
    LOOK(w);
    my_look = shared_ref;
    if
    :: IS_SHARING(my_look) && !reader[me] ->
        reader[me] = true;
        MAY_DIE;
        do
        :: LOOK(w);
           if
           :: IS_SHARING(my_look) ->
#ifdef BUG_JOIN_BY_LOOK
               reads[me] = true; my_read = my_look; break
#else
               atomic { STEP(w, SHARED, 0, w.version + 1); if :: done -> reads[me] = true; my_read = my_look :: else fi }
               if :: done -> break :: else fi
#endif
           :: else -> reader[me] = false; MAY_DIE; settle(); break
           fi
        od
    :: else
    fi
}

inline leave() {
    if
    :: reads[me] ->
        LOOK(w);
        assert(IS_SHARING(my_read) && reader[me]);
        reads[me] = false;
        reader[me] = false;
        MAY_DIE;
        settle()
    :: else
    fi
}

/* Of whoever is dead; any number at a time. */
inline reclaim(x) {
    if
    :: reader[x] -> reader[x] = false; MAY_DIE; settle()
    :: else
    fi;
    LOOK(w);
    if
    :: (w.state == HELD || w.state == OFFERED) && w.holder == x -> retire()
#ifndef BUG_CACHE_KEPT
    :: IS_CACHED_BY(w, x) -> retire()
#endif
    :: w.state == SHARED && NOBODY_READS -> retire()
    :: else
    fi;
    MAY_DIE;
#ifndef BUG_NO_MENDING
    LOOK(w);
    if
    :: IS_FREE(w) -> hint = true
    :: !IS_FREE(w) && hint ->
        hint = false;
        MAY_DIE;
        LOOK(w);
        if :: IS_FREE(w) -> hint = true :: else fi
    :: else
    fi
#else
    skip
#endif
}

byte finished;

proctype peer(byte me) {
    Word w; bool done; byte ref, my_read, my_look, n;
    do
    :: n == OPS -> break
    :: n < OPS ->
        n++;
        if
        :: !writes[me] && !reads[me] -> allocate()
        :: !writes[me] && !reads[me] -> refill()
        :: !writes[me] && !reads[me] -> take_from_cache()
        :: free_into_cache()
        :: give_back()
#ifdef BUG_STEAL
        :: !writes[me] && !reads[me] -> steal()
#endif
        :: free_one()
        :: give(SHARED, 0)
        :: give(OFFERED, 3 - me)
        :: take()
        :: !reads[me] && !writes[me] -> join()
        :: leave()
        :: dead[3 - me] -> reclaim(3 - me)
        fi;
        MAY_DIE
    od;
death:
    atomic { dead[me] = true; writes[me] = false; reads[me] = false; finished++ }
}

/* Peers that are through count as dead: what they held must come back as well. */
proctype judge() {
    Word w; bool done; byte me = JUDGE;
    finished == PEERS;
    assert(killed || !IS_FREE(word) || hint);
    assert(killed || word.state != SHARED || !NOBODY_READS);
    reclaim(1);
    reclaim(2);
    assert(IS_FREE(word) && hint && NOBODY_READS);
death:
    skip
}

init { atomic { word.state = FREE; run peer(1); run peer(2); run judge() } }
