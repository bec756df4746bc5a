/* The parts of a firing as a small model, for spin: every interleaving of two workers and a person, with up to FAULTS
 * faults. docs/protocol.md says what is covered; tests/model runs it.
 *
 * One firing with four parts: one that goes along with it, one that waits for its launch, one that its receiver refuses
 * for good, and the alarm of `on_failed`. The launch itself is one step here; protocol.pml has its steps.
 *
 * OLD_GRANT  parts are granted by a step of their own, behind the one that they wait for
 * OLD_ALARM  the alarm stays named once it is granted
 */
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ACTS
#define ACTS 2                  /* what the person does */
#endif

#define FIRING 0
#define ALONG 1
#define BEHIND 2
#define BROKEN 3
#define ALARM 4
#define N 5

#define ABSENT 0
#define WAITING 1
#define LAUNCHED 2
#define DEAD 3
#define DROPPED 4
byte state[N];
byte lease[N];                  /* nonce of the attempt that holds it, 0 for none */
bool over[N];                   /* that lease has run out: its holder was killed, or is frozen */
bool named[N];                  /* the firing's record names the part as one to come */
byte nonces;

/* --- the world outside --- */
bool launched;                  /* the ClearML task is in its queue */
bool sent[N];                   /* has arrived at its receiver, under its key */

/* --- what is counted --- */
byte acted[N];
byte faults, acts, emptied;
bool was_dead;

#define fault (faults < FAULTS)

inline grant(p) {
    if
    :: named[p] ->
#ifdef OLD_ALARM
        named[p] = (p == ALARM);
#else
        named[p] = 0;
#endif
        state[p] = WAITING; lease[p] = 0; over[p] = 0
    :: else
    fi
}

/* what `finish.lua` grants besides, by how `r` has ended */
inline grant_ended(r, how) {
    if
    :: how == LAUNCHED && r == FIRING -> grant(ALONG); grant(BROKEN); grant(BEHIND)
    :: how == DEAD && r != ALARM ->
        if
        :: r == FIRING -> grant(ALONG); grant(BROKEN)
        :: else
        fi;
        grant(ALARM)
    :: else
    fi
}

active [2] proctype worker() {
    byte r, mine, how;
again:
    r = 0; mine = 0; how = 0;
    /* claim.lua: what is due, or whose lease has run out */
end:
    atomic {
        if
        :: state[FIRING] == WAITING && (lease[FIRING] == 0 || over[FIRING]) -> r = FIRING
        :: state[ALONG] == WAITING && (lease[ALONG] == 0 || over[ALONG]) -> r = ALONG
        :: state[BEHIND] == WAITING && (lease[BEHIND] == 0 || over[BEHIND]) -> r = BEHIND
        :: state[BROKEN] == WAITING && (lease[BROKEN] == 0 || over[BROKEN]) -> r = BROKEN
        :: state[ALARM] == WAITING && (lease[ALARM] == 0 || over[ALARM]) -> r = ALARM
        fi;
        nonces++; mine = nonces; lease[r] = mine; over[r] = 0
    }
    /* begin.lua: under the lease; a firing that may go on grants what goes along with it */
    atomic {
        if
        :: fault -> faults++; over[r] = (lease[r] == mine -> 1 : over[r]); goto again    /* killed */
        :: lease[r] != mine -> goto again                                              /* fenced */
        :: lease[r] == mine
        fi
    }
#ifdef OLD_GRANT
    atomic {
        if
        :: fault -> faults++; over[r] = (lease[r] == mine -> 1 : over[r]); goto again
        :: r == FIRING && lease[r] == mine -> grant(ALONG); grant(BROKEN)
        :: else
        fi
    }
#else
    atomic {
        if
        :: r == FIRING && lease[r] == mine -> grant(ALONG); grant(BROKEN)
        :: else
        fi
    }
#endif
    /* the call: a launch that finds itself launched changes nothing; a receiver knows what it has seen by its key */
    atomic {
        if
        :: fault -> faults++; over[r] = (lease[r] == mine -> 1 : over[r]); goto again    /* killed before it */
        :: fault -> faults++; over[r] = (lease[r] == mine -> 1 : over[r])                /* frozen past the lease */
        :: true
        fi;
        if
        :: r == FIRING -> launched = 1; how = LAUNCHED
        :: r == FIRING && !launched -> how = DEAD               /* its base task is gone */
        :: r == BEHIND -> assert(launched); sent[r] = 1; how = LAUNCHED
        :: r == BROKEN -> sent[r] = 1; how = DEAD
        :: r == ALARM -> assert(was_dead); sent[r] = 1; how = LAUNCHED
        :: r == ALONG -> sent[r] = 1; how = LAUNCHED
        fi;
        if
        :: fault -> faults++; how = WAITING                     /* the reply is lost: put_back.lua */
        :: true
        fi
    }
    /* finish.lua or put_back.lua: under the lease */
    atomic {
        if
        :: fault -> faults++; over[r] = (lease[r] == mine -> 1 : over[r]); goto again    /* killed before it */
        :: lease[r] != mine -> goto again
        :: lease[r] == mine ->
            state[r] = how; lease[r] = 0; over[r] = 0;
            was_dead = was_dead || how == DEAD;
            if
            :: how == LAUNCHED -> acted[r]++; assert(acted[r] <= 1 + emptied)
            :: else
            fi;
#ifndef OLD_GRANT
            grant_ended(r, how)
#endif
        fi
    }
#ifdef OLD_GRANT
    atomic {
        if
        :: fault -> faults++
        :: true -> grant_ended(r, how)
        fi
    }
#endif
    goto again
}

/* a person retries or drops a dead letter */
active proctype person() {
    byte r;
end:
    do
    ::  atomic {
            acts < ACTS && (state[FIRING] == DEAD || state[BROKEN] == DEAD) ->
            if
            :: state[FIRING] == DEAD -> r = FIRING
            :: state[BROKEN] == DEAD -> r = BROKEN
            fi;
            acts++;
            if
            :: state[r] = WAITING               /* retry_dead.lua */
            :: state[r] = DROPPED               /* drop.lua */
            fi
        }
    od
}

/* Redis is emptied while everything goes on: leases are void, and the change is read and granted again */
active proctype redis() {
    byte p;
end:
    atomic {
        fault && emptied == 0 ->
        faults++; emptied++;
        p = 0;
        do
        :: p < N -> state[p] = (p == FIRING -> WAITING : ABSENT); lease[p] = 0; over[p] = 0; named[p] = (p != FIRING); p++
        :: else -> break
        od;
        p = 0
    }
}

init {
    atomic {
        state[FIRING] = WAITING;
        named[ALONG] = 1; named[BEHIND] = 1; named[BROKEN] = 1; named[ALARM] = 1
    }
    /* in the end: nobody can do anything more */
    timeout ->
    assert(state[FIRING] == LAUNCHED || state[FIRING] == DEAD || state[FIRING] == DROPPED);
    assert(acted[ALONG] && sent[ALONG]);
    assert(state[FIRING] != LAUNCHED || (acted[BEHIND] && sent[BEHIND]));
    assert(sent[BROKEN] && (state[BROKEN] == DEAD || state[BROKEN] == DROPPED));
    assert(acted[ALARM] && sent[ALARM])
}
