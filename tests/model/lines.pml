/* Lines as a small model, for spin: every interleaving of two workers that take from lines, one of an earlier release
 * that takes from the list, a matcher, a person and the clock, with up to FAULTS faults. docs/protocol.md says what is
 * covered; tests/model runs it.
 *
 * One list of three firings: two of the first trigger, one of the second. Everything inside one `atomic` is one script.
 *
 * OLD_ORDER  firings are taken in the order in which they became due, whatever their trigger
 * OLD_TRUST  what a line says is taken without a look at the list
 * OLD_LOST   lines that are gone are not made anew
 */
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef ACTS
#define ACTS 1                  /* what the person does */
#endif
#define N 3
#define trigger_of(f) ((f) / 2)
#define TIMES (FAULTS + 2)      /* how often a firing can become due, counted from 1 */

/* --- the list: what `due` says of a firing --- */
#define OFF 0
#define LATER 1                 /* leased, or pausing */
#define DUE 2
#define LINED 3                 /* due, and its score says that it stands in a line */
byte list[N];
byte due[N];                    /* since when: its score */
byte lease[N];                  /* worker + 1 */
bool granted[N], ended[N];

bool stands[15];                /* 5 * firing + score: in the line of its trigger */
byte served;                    /* the trigger whose turn was the last */

/* --- what is counted --- */
byte passed[2];                 /* how often the other trigger was served while this one waited */
byte faults, acts;
bool lost;                      /* the lines were, and are not made anew yet */

#define fault (faults < FAULTS)
#define waits(f) (list[f] == DUE || list[f] == LINED)
#define in_line(f) stands[5 * (f) + due[f]]

/* `lines.lua`: all that is due comes to stand in a line */
inline line_up() {
    i = 0; any = 0;
    do
    :: i < 15 -> any = any || stands[i]; i++
    :: else -> break
    od;
#ifndef OLD_LOST
    if
    :: !any -> lost = 0
    :: else
    fi;
#endif
    f = 0;
    do
    :: f < N ->
        if
#ifdef OLD_LOST
        :: list[f] == DUE ->
#else
        :: list[f] == DUE || (!any && list[f] == LINED) ->
#endif
            list[f] = LINED; in_line(f) = 1
        :: else
        fi;
        f++
    :: else -> break
    od
}

/* the first of the line of `t`; what the list says otherwise of is dropped */
inline first_of(t) {
    i = 0;
    do
    :: i <= TIMES && taken == N ->
        f = 0;
        do
        :: f < N ->
            if
            :: trigger_of(f) == t && stands[5 * f + i] && taken == N ->
                stands[5 * f + i] = 0;
                if
#ifdef OLD_TRUST
                :: taken = f
#else
                :: list[f] == LINED && due[f] == i -> taken = f
                :: else
#endif
                fi
            :: else
            fi;
            f++
        :: else -> break
        od;
        i++
    :: else -> break
    od
}

/* the firing due longest */
inline oldest() {
    f = 0;
    do
    :: f < N ->
        if
        :: waits(f) && (taken == N || due[f] < due[taken]) -> taken = f
        :: else
        fi;
        f++
    :: else -> break
    od
}

inline lease_it(worker) {
    assert(waits(taken) && !ended[taken]);  /* taken */
    list[taken] = LATER; lease[taken] = worker
}

inline carry_out(worker) {
    if
    :: atomic { lease[taken] == worker -> list[taken] = OFF; lease[taken] = 0; ended[taken] = 1 }
    :: atomic { lease[taken] == worker && due[taken] < TIMES - FAULTS -> lease[taken] = 0 }  /* it failed, and pauses */
    :: atomic { fault -> faults++ }                                                         /* killed, or frozen */
    :: lease[taken] != worker                                                               /* fenced */
    fi
}

proctype worker(byte me) {
    byte f, i, t, taken;
    bool any;
end:
    do
    :: atomic {
        (waits(0) || waits(1) || waits(2)) ->
        taken = N;
        line_up();
#ifdef OLD_ORDER
        oldest();
        if
        :: taken < N -> in_line(taken) = 0
        :: else
        fi;
#else
        first_of(1 - served);
        if
        :: taken == N -> first_of(served)
        :: else
        fi;
#endif
        if
        :: taken < N ->
            lease_it(me);
            t = trigger_of(taken);
            served = t; passed[t] = 0;
            if
            :: (t == 0 && waits(2)) || (t == 1 && (waits(0) || waits(1))) -> passed[1 - t]++
            :: else
            fi;
            assert(passed[1 - t] < 2)
        :: else
        fi;
        f = 0; i = 0; t = 0; any = 0
       };
       if
       :: taken < N -> carry_out(me); taken = 0
       :: else -> assert(lost)  /* found nothing */
       fi
    od
}

/* of an earlier release: it knows no lines */
proctype earlier(byte me) {
    byte f, taken;
    bool any;
    if
    :: atomic {
        (waits(0) || waits(1) || waits(2)) ->
        taken = N; oldest(); lease_it(me); passed[0] = 0; passed[1] = 0; f = 0
       };
       carry_out(me)
    :: true
    fi
}

proctype matcher() {
    byte f;
    for (f : 0 .. N - 1) { atomic { granted[f] = 1; list[f] = DUE; due[f] = 1 } }
}

/* leases and pauses run out; lines are lost by a fault */
proctype time() {
    byte f;
end:
    do
    :: atomic { (list[0] == LATER && due[0] < TIMES && (lease[0] == 0 || faults)) -> list[0] = DUE; due[0]++ }
    :: atomic { (list[1] == LATER && due[1] < TIMES && (lease[1] == 0 || faults)) -> list[1] = DUE; due[1]++ }
    :: atomic { (list[2] == LATER && due[2] < TIMES && (lease[2] == 0 || faults)) -> list[2] = DUE; due[2]++ }
    :: atomic { fault -> faults++; lost = 1; for (f : 0 .. 14) { stands[f] = 0 }; f = 0 }
    :: (ended[0] && ended[1] && ended[2]) -> break
    od
}

proctype person() {
    byte f;
    for (f : 0 .. N - 1) {
        if
        :: atomic { (acts < ACTS && waits(f) && lease[f] == 0) -> acts++; list[f] = OFF; ended[f] = 1 }
        :: true
        fi
    }
}

/* what the list says to stand in a line does */
proctype watch() {
end:
    atomic {
        (!lost && ((list[0] == LINED && !in_line(0)) || (list[1] == LINED && !in_line(1)) || (list[2] == LINED && !in_line(2)))) ->
        assert(false)  /* in no line */
    }
}

/* at the end none is forgotten; one whose times have run out is left alone */
proctype last() {
end:
    timeout ->
    assert((ended[0] || due[0] == TIMES) && (ended[1] || due[1] == TIMES) && (ended[2] || due[2] == TIMES))
}

init {
    atomic {
        run matcher(); run worker(1); run worker(2); run earlier(3); run time(); run person(); run watch(); run last()
    }
}
