/* The launch protocol as a small model, for spin: every interleaving of two dispatchers, one poller with its matcher,
 * one person and an agent, with up to FAULTS faults. docs/protocol.md says what is covered; tests/model runs it.
 *
 * One trigger, fire="once" and single_instance, whose condition its own launches satisfy as well as people's copies do.
 * Labels name the steps of triggers/ledger/steps.py. Everything inside one `atomic` is one script or one call.
 *
 * OLD_OWN    own launches are known by a record that the last step writes
 * OLD_SLOT   what ends a firing between two attempts leaves its slot alone
 * OLD_EPOCH  an epoch is the run of Redis alone, which FLUSHALL does not change
 */
#ifndef NOBJ
#define NOBJ 2                  /* objects that were not made by the trigger */
#endif
#ifndef MAXT
#define MAXT 3                  /* ClearML tasks made by clones and by people */
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ACTS
#define ACTS 1                  /* what the person does */
#endif
#define NF (NOBJ + MAXT)        /* one firing an object; a ClearML task t is the object NOBJ + t */
#ifndef MAXA
#define MAXA 7                  /* attempts; a nonce is a bit */
#endif

/* --- the ClearML server --- */
#define NONE 0
#define DRAFT 1
#define LIVE 2
#define ENDED 3
#define GONE 4
byte t_status[MAXT];
byte t_key[MAXT];               /* firing key in the marks */
byte t_nonce[MAXT];             /* attempt's nonce in the marks */
bool t_copy[MAXT];              /* made by a person: marks are inherited */
byte made;
byte enqueued[NF];              /* accepted enqueues by key */

/* --- the ledger --- */
#define WAITING 1
#define LAUNCHED 2
#define SKIPPED 3
#define DROPPED 4
byte f_state[NF];
byte f_lease[NF];               /* nonce of the attempt that holds it, 0 for none */
byte f_attempts[NF];            /* bits */
byte f_task[NF];                /* recorded ClearML task + 1 */
byte f_winner[NF];              /* nonce of the attempt that recorded it */
byte f_withdrawing[NF];
bool mark[NF];
bool seen[NF];                  /* read and matched */
bool known_launch[MAXT];        /* what `finish` writes */
byte slot_firing;               /* firing + 1 */
byte slot_task;                 /* ClearML task + 1 */
byte epoch;                     /* nonce in the data */
bool forgot;                    /* this epoch may have forgotten launches */
bool slots_known = 1;

bool deleted;                   /* a person deleted a launch */
byte live;                      /* launches, not copies, that are queued or running */
byte faults = FAULTS;
byte nonces = 1;                /* the next attempt; 0 is none */
byte doing[3];                  /* by dispatcher: the firing it enqueues next, + 1, with `doing_epoch` */
byte doing_epoch[3];
bool alive[3];                  /* the attempt with that nonce has a process: by dispatcher */
byte attempt_of[3];

#define bit(n) (1 << (n))
#define has(set, n) (((set) >> (n)) & 1)
#define fault(what) (faults > 0) -> faults--; what
#define MAY_DIE if :: skip :: fault(goto over) fi       /* SIGKILL before this step */

/* A lease may end when its holder is dead; that of a live one ends as a fault (it was frozen). */
#define held_alive(k) ((alive[1] && attempt_of[1] == f_lease[k] && f_lease[k] != 0) || \
                       (alive[2] && attempt_of[2] == f_lease[k] && f_lease[k] != 0))

#define CLAIMABLE(k) (nonces < MAXA && f_state[k] == WAITING && !held_alive(k))
#define FROZEN(k) (nonces < MAXA && faults > 0 && f_state[k] == WAITING && held_alive(k))

/* Whether an attempt of an epoch that was forgotten may still enqueue a draft of this firing (decision 5: waited for). */
#define late_enqueue(k) ((doing[1] == (k) + 1 && doing_epoch[1] != epoch) || (doing[2] == (k) + 1 && doing_epoch[2] != epoch))

inline release_slot(k) {        /* what ends a firing gives back the slot that it took, unless a ClearML task is bound to it */
  if
  :: slot_firing == (k) + 1 && slot_task == 0 -> slot_firing = 0; slot_task = 0
  :: else
  fi
}

#define slot_busy_with_launch (slot_task != 0 && t_status[slot_task - 1] == LIVE)
#ifdef OLD_SLOT
#define slot_busy_with_firing (slot_firing != 0 && slot_task == 0)
#else
#define slot_busy_with_firing (slot_firing != 0 && slot_task == 0 && f_state[slot_firing - 1] == WAITING)
#endif

/* ------------------------------------------------------------------ own launches */
#define OWN 1
#define OTHER 2
#define UNDECIDED 3
inline judge_own(o, answer) {
  byte K, t, u;
  answer = OTHER;
  if
  :: (o) < NOBJ
  :: else ->
     t = (o) - NOBJ; K = t_key[t];
#ifdef OLD_OWN
     if
     :: known_launch[t] -> answer = OWN
     :: else
     fi
#else
     if
     :: f_state[K] != 0 && f_task[K] == t + 1 && f_state[K] != SKIPPED -> answer = OWN
     :: f_state[K] == WAITING && f_task[K] != t + 1 -> answer = UNDECIDED
     :: f_state[K] == LAUNCHED && f_task[K] != t + 1 ->
        if                                      /* the draft of a void attempt, or a copy, which inherits the nonce */
        :: was_draft && f_winner[K] != t_nonce[t] -> answer = OWN
        :: else -> answer = OTHER
        fi
     :: f_state[K] == 0 || f_state[K] == SKIPPED ->
        answer = OWN; u = 0;                    /* the server says: the oldest that is no draft is the launch */
        do
        :: u < made ->
           if
           :: t_key[u] == K && (t_status[u] == LIVE || t_status[u] == ENDED) ->
              if
              :: u != t && !(was_draft && t_nonce[u] != t_nonce[t]) -> answer = OTHER
              :: else
              fi;
              break
           :: else -> u++
           fi
        :: else -> break
        od
     fi
#endif
  fi
}

#define exists(o) ((o) < NOBJ || ((o) - NOBJ < made && t_status[(o) - NOBJ] != GONE))

proctype poller() {
  byte o, judged;
  bool was_draft;
end:
  do
  :: atomic {                                   /* ------- poll: reads one object */
       if
       :: exists(0) && !seen[0] -> o = 0
       :: NOBJ > 1 && seen[0] && !seen[1] -> o = 1      /* the objects are alike: one order is enough */
       :: MAXT > 0 && exists(NOBJ) && !seen[NOBJ] -> o = NOBJ
       :: MAXT > 1 && exists(NOBJ + 1) && !seen[NOBJ + 1] -> o = NOBJ + 1
       :: MAXT > 2 && exists(NOBJ + 2) && !seen[NOBJ + 2] -> o = NOBJ + 2
       fi;
       was_draft = (o >= NOBJ && t_status[(o >= NOBJ -> o - NOBJ : 0)] == DRAFT)
     };
match:
     atomic {                                   /* ------- match_commit.lua */
       if
       :: mark[o] || seen[o] -> seen[o] = 1
       :: else ->
          judge_own(o, judged);
          if
          :: judged == OWN -> seen[o] = 1
          :: judged == UNDECIDED                        /* set aside until the firing is recorded or has ended */
          :: judged == OTHER ->
             seen[o] = 1; mark[o] = 1;
             if
             :: f_state[o] == 0 || f_state[o] == SKIPPED ->
                assert(o < NOBJ || t_copy[o - NOBJ]);   /* no event of an own launch is granted */
                f_state[o] = WAITING; f_lease[o] = 0; f_attempts[o] = 0; f_task[o] = 0; f_winner[o] = 0; f_withdrawing[o] = 0
             :: else
             fi
          fi
       fi;
       o = 0; judged = 0; was_draft = 0
     }
  od
}

/* ------------------------------------------------------------------ dispatchers */
#define OWNS(k) (f_lease[k] == a && know == epoch)

/* A script of another epoch is refused. `OLD_EPOCH`: nothing tells a worker, and nothing says that launches were forgotten. */
#ifdef OLD_EPOCH
#define SAME_EPOCH 1
#define FORGOT 0
#else
#define SAME_EPOCH (know == epoch)
#define FORGOT forgot
#endif
#undef OWNS
#define OWNS(k) (f_lease[k] == a && SAME_EPOCH)

proctype dispatcher(byte me) {
  byte k, a, t, know, look_status, i, holder, voids;
  bool holder_live, was_busy, cut;
end:
  do
  :: atomic {                                   /* ------- claim.lua */
       if
       :: CLAIMABLE(0) -> k = 0
       :: NOBJ > 1 && CLAIMABLE(1) -> k = 1
       :: CLAIMABLE(NOBJ) -> k = NOBJ
       :: MAXT > 1 && CLAIMABLE(NOBJ + 1) -> k = NOBJ + 1
       :: MAXT > 2 && CLAIMABLE(NOBJ + 2) -> k = NOBJ + 2
       :: FROZEN(0) -> faults--; k = 0          /* its holder is alive, but frozen past its lease */
       :: NOBJ > 1 && FROZEN(1) -> faults--; k = 1
       fi;
       know = epoch; a = nonces; nonces++;
       voids = f_attempts[k];                   /* earlier attempts; none of them recorded, or this one settles */
       f_lease[k] = a; f_attempts[k] = f_attempts[k] | bit(a);
       alive[me] = 1; attempt_of[me] = a; cut = 0
     };
     if
     :: f_task[k] != 0 -> goto settle           /* as the answer of claim said; nobody else writes it under this lease */
     :: else
     fi;
begin:
     atomic {                                   /* ------- slots_rebuild.lua: what runs, once no forgotten enqueue can arrive */
       MAY_DIE;
       (slots_known || !SAME_EPOCH || (!late_enqueue(0) && !late_enqueue(1) && !late_enqueue(NOBJ)));
       if
       :: slots_known || !SAME_EPOCH
       :: else ->
          slots_known = 1; i = 0;
          do
          :: i < made ->
             if
             :: t_status[i] == LIVE && !t_copy[i] -> slot_firing = t_key[i] + 1; slot_task = i + 1
             :: else
             fi;
             i++
          :: else -> break
          od;
          i = 0
       fi
     };
     atomic {                                   /* ------- look at the slot's holder on the server */
       MAY_DIE;
       holder = slot_firing;
       holder_live = slot_busy_with_launch || slot_busy_with_firing;
       was_busy = slot_busy_with_launch || (slot_firing != 0 && f_state[slot_firing - 1] == WAITING)
     };
     atomic {                                   /* ------- begin.lua */
       MAY_DIE;
       if
       :: !OWNS(k) -> goto over
       :: OWNS(k) && (slot_firing == 0 || slot_firing == k + 1 || (slot_firing == holder && !holder_live)) ->
          if
          :: slot_firing != k + 1 -> slot_firing = k + 1; slot_task = 0
          :: else
          fi
       :: OWNS(k) && slot_firing != 0 && slot_firing != k + 1 && (slot_firing != holder || holder_live) ->
          /* finish.lua: skipped, and its key released; whom it is skipped for has to be there */
          assert(was_busy || slot_busy_with_launch || slot_firing != holder || f_state[slot_firing - 1] == WAITING);
          f_state[k] = SKIPPED; f_lease[k] = 0; mark[k] = 0; goto over
       fi
     };
     if                                         /* ------- it fails for a moment; the firing comes up again */
     :: atomic { fault(skip) };
        atomic {                                /* put_back.lua */
          if
          :: OWNS(k) -> f_lease[k] = 0; f_attempts[k] = f_attempts[k] & (255 - bit(a))
          :: else
          fi;
          goto over
        }
     :: skip
     fi;
look:
     if
     :: voids == 0 && !FORGOT
     :: else ->
        atomic {                                /* ------- tasks with the key, oldest first */
       MAY_DIE;
          i = 0; t = 0; look_status = 0;
          do
          :: i < made && look_status == 0 ->
             if
             :: t_key[i] == k && (t_status[i] == LIVE || t_status[i] == ENDED) -> look_status = 1; t = i + 1
             :: else
             fi;
             i++
          :: else -> break
          od;
          i = 0
        };
        if
        :: look_status == 1 -> look_status = 0; goto done
        :: else
        fi;
        do                                      /* drafts of void attempts; deleting one that was enqueued meanwhile fails */
        :: i < MAXT ->
           atomic {
             if
             :: i < made && t_key[i] == k && t_status[i] == DRAFT && t_nonce[i] != a && has(voids, t_nonce[i]) ->
                t_status[i] = GONE
             :: i < made && t_key[i] == k && (t_status[i] == LIVE || t_status[i] == ENDED) -> t = i + 1; i = 0; goto done
             :: else
             fi;
             i++
           }
        :: else -> break
        od;
        i = 0;
        /* an unknown draft in an epoch that forgot: waited for as long as its enqueue may arrive (decision 5) */
        if
        :: atomic { FORGOT && late_enqueue(k) -> !late_enqueue(k) || !OWNS(k) };
           goto look
        :: else
        fi
     fi;
clone:
     atomic {                                   /* ------- tasks.clone */
       MAY_DIE;
       if
       :: made < MAXT ->
          t_status[made] = DRAFT; t_key[made] = k; t_nonce[made] = a; t_copy[made] = 0; made++; t = made;
          if
          :: skip
          :: fault(cut = 1)                     /* the reply is lost */
          fi
       :: else -> goto over                     /* as many as the model has: the attempt ends here */
       fi
     };
     if
     :: cut ->
        atomic {                                /* put_back.lua; the attempt stays known as void */
          t = 0;
          if
          :: OWNS(k) -> f_lease[k] = 0
          :: else
          fi;
          goto over
        }
     :: else
     fi;
record:
     atomic {                                   /* ------- record.lua */
       MAY_DIE;
       if
       :: OWNS(k) && f_task[k] == 0 -> f_task[k] = t; f_winner[k] = a; doing[me] = k + 1; doing_epoch[me] = know
       :: else ->                               /* overtaken: deletes its own draft */
          if
          :: t_status[t - 1] == DRAFT -> t_status[t - 1] = GONE
          :: else
          fi;
          goto over
       fi
     };
     atomic {                                   /* ------- renew.lua: still ours */
       MAY_DIE;
       if
       :: OWNS(k)
       :: else -> goto over
       fi
     };
enqueue:
     atomic {                                   /* ------- tasks.enqueue */
       MAY_DIE;
       doing[me] = 0; doing_epoch[me] = 0;
       if
       :: t_status[t - 1] == DRAFT ->
          t_status[t - 1] = LIVE; enqueued[k]++;
          assert(enqueued[k] <= 1);             /* one accepted enqueue a firing */
          live++;
          assert(live <= 1)                     /* one launch at a time */
       :: else -> cut = 1                       /* refused: settle */
       fi;
       if
       :: skip
       :: fault(cut = 1)
       fi
     };
     if
     :: cut -> goto settle
     :: else
     fi;
done:
     atomic {                                   /* ------- finish.lua: launched */
       MAY_DIE;
       if
       :: OWNS(k) ->
          f_state[k] = LAUNCHED; f_lease[k] = 0; f_task[k] = t;
          if
          :: f_winner[k] == 0 -> f_winner[k] = t_nonce[t - 1]
          :: else
          fi;
          known_launch[t - 1] = 1;
          if
          :: slot_firing == k + 1 -> slot_task = t
          :: else
          fi
       :: else
       fi;
       goto over
     };
settle:
     atomic {                                   /* ------- tasks.get_all of the recorded id */
       MAY_DIE;
       t = f_task[k];
       if
       :: t == 0 || !OWNS(k) -> goto over
       :: else -> look_status = t_status[t - 1]
       fi
     };
     if
     :: look_status == LIVE || look_status == ENDED -> goto done
     :: look_status == GONE && f_withdrawing[k] != t -> goto done    /* launched, then deleted by someone */
     :: look_status == GONE && f_withdrawing[k] == t
     :: look_status == DRAFT
     fi;
withdraw:
     atomic {                                   /* ------- withdraw.lua */
       MAY_DIE;
       if
       :: OWNS(k) && f_task[k] == t -> f_withdrawing[k] = t
       :: else -> goto over
       fi
     };
     atomic {                                   /* ------- tasks.delete without force */
       MAY_DIE;
       if
       :: t_status[t - 1] == DRAFT -> t_status[t - 1] = GONE
       :: t_status[t - 1] == LIVE || t_status[t - 1] == ENDED -> goto done
       :: else
       fi;
       if
       :: skip
       :: fault(goto over)                      /* the reply is lost: the next attempt sees the announcement */
       fi
     };
     atomic {                                   /* ------- clear.lua */
       MAY_DIE;
       if
       :: OWNS(k) && f_task[k] == t ->
          f_task[k] = 0; f_winner[k] = 0; f_withdrawing[k] = 0; f_lease[k] = 0   /* and put_back.lua */
       :: else
       fi
     };
over:
     atomic {
       alive[me] = 0; attempt_of[me] = 0; doing[me] = 0; doing_epoch[me] = 0;
       k = 0; a = 0; t = 0; know = 0; look_status = 0; i = 0; holder = 0; voids = 0; holder_live = 0; was_busy = 0; cut = 0
     }
  od
}

/* ------------------------------------------------------------------ the others */
proctype agent() {
  byte t;
end:
  do
  :: atomic {
       if
       :: t_status[0] == LIVE -> t = 0
       :: MAXT > 1 && t_status[1] == LIVE -> t = 1
       :: MAXT > 2 && t_status[2] == LIVE -> t = 2
       fi;
       t_status[t] = ENDED;
       if
       :: !t_copy[t] -> live--
       :: else
       fi;
       t = 0
     }
  od
}

#define waits(k) (f_state[k] == WAITING && f_lease[k] == 0 && f_task[k] == 0)
#define launched(t) ((t) < made && (t_status[t] == LIVE || t_status[t] == ENDED) && !t_copy[t])

#define confirmed(t) (launched(t) && f_state[t_key[t]] == LAUNCHED)

proctype person() {
  byte acts = ACTS, x;
end:
  do
  :: atomic { acts > 0 && waits(0) -> x = 0; acts--; goto skips }
  :: atomic { acts > 0 && NOBJ > 1 && waits(1) -> x = 1; acts--; goto skips }
  :: atomic { acts > 0 && made < MAXT && launched(0) -> x = 0; acts--; goto copies }
  :: atomic { acts > 0 && made < MAXT && launched(1) -> x = 1; acts--; goto copies }
  :: atomic { acts > 0 && !forgot && confirmed(0) -> x = 0; acts--; deleted = 1; goto deletes }
  :: atomic { acts > 0 && !forgot && confirmed(1) -> x = 1; acts--; deleted = 1; goto deletes }
  od;
skips:
  atomic {                                      /* skip_waiting.lua */
    if
    :: waits(x) ->
       f_state[x] = SKIPPED; mark[x] = 0;
#ifndef OLD_SLOT
       release_slot(x);
#endif
    :: else
    fi;
    x = 0; goto end
  };
copies:
  atomic {                                      /* a clone by hand inherits every mark; perhaps it is run */
    if
    :: made < MAXT ->
       t_key[made] = t_key[x]; t_nonce[made] = t_nonce[x]; t_copy[made] = 1;
       if
       :: t_status[made] = DRAFT
       :: t_status[made] = LIVE
       fi;
       made++
    :: else
    fi;
    x = 0; goto end
  };
deletes:
  atomic {                                      /* a launch that we know of; with Redis emptied, or before we know: decision 4 */
    if
    :: t_status[x] == LIVE -> live--
    :: else
    fi;
    t_status[x] = GONE; x = 0; goto end
  }
}

/* Redis comes back empty; the triggers and where to read from come from the service task. */
proctype flush() {
  byte i;
end:
  atomic {
    faults > 0 && !deleted -> faults--;
    do
    :: i < NF -> f_state[i] = 0; f_lease[i] = 0; f_attempts[i] = 0; f_task[i] = 0; f_winner[i] = 0; f_withdrawing[i] = 0;
       mark[i] = 0; seen[i] = 0; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < MAXT -> known_launch[i] = 0; i++
    :: else -> break
    od;
    i = 0; slot_firing = 0; slot_task = 0; epoch++; forgot = 1;
#ifndef OLD_EPOCH
    slots_known = 0;
#endif
  }
}

/* When nothing can happen any more, every object was launched once, or was skipped for a reason that was there. */
proctype final() {
end:
  timeout ->
  atomic {
    assert(nonces == MAXA || made == MAXT || (f_state[0] != WAITING && f_state[1] != WAITING));
    assert(nonces == MAXA || made == MAXT || f_state[0] == SKIPPED || enqueued[0] == 1);
    assert(nonces == MAXA || made == MAXT || NOBJ < 2 || f_state[1] == SKIPPED || enqueued[1] == 1)
  }
}

init {
  atomic {
    run poller(); run dispatcher(1); run dispatcher(2); run agent(); run person(); run flush(); run final()
  }
}
