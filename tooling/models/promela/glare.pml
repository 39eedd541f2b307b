/*
 * Glare: two peers dial each other, each with a hello of its own.
 *
 * S has the smaller id, L the larger. Messages between them arrive once, in any order. A key has
 * the number of the end whose hello it comes from: who answers one has its key at once, and who
 * dialled has it with the answer.
 */
#include "properties.pml"

#define S 0
#define L 1
#define NONE 2

mtype = {idle, dialling, waiting, done}
mtype = {hello, answer, emptyAnswer, record}
/* Properties. */
mtype = {one_connection}

/* Of each end: its dial; the key that it sends under; the key that waits for the first record. */
typedef End {
  mtype dial;
  byte live;
  byte pending
}
End ends[2];
#define other(end) (1 - end)
/* To each end: what, and the number of the key. */
chan line[2] = [8] of {mtype, byte};

/* The smaller id's hello counts: what the smaller does with a hello while its own is out. */
#ifdef NO_GLARE
#define givesUp(end) false
#define refuses(end) false
#else
#define givesUp(end) (end == L && ends[end].dial == dialling)
#define refuses(end) (end == S && ends[end].dial == dialling)
#endif
/* The larger sends no hello while the smaller's waits for its first record. */
#ifdef NO_GLARE_PENDING
#define yields(end) false
#else
#define yields(end) (end == L && ends[end].pending == S)
#endif
/* The answer to the smaller's own hello ends what waits for a record of the larger. */
#ifdef NO_GLARE_DROP
#define drops(end) false
#else
#define drops(end) (end == S)
#endif
/* A dial that another key settled takes no answer. */
#ifdef NO_GLARE_SETTLED
#define takesAnswer(end) (ends[end].dial != waiting)
#else
#define takesAnswer(end) (ends[end].dial == dialling)
#endif

inline use(end, key) {
  printf("%c: uses the key of %c\n", (end == S -> 'S' : 'L'), (key == S -> 'S' : 'L'));
  ends[end].live = key;
  ends[end].dial = (ends[end].dial == idle -> idle : done);
  line[other(end)]!record(key)
}

proctype Peer(byte me) {
  byte key;
  ends[me].dial = idle;
end:
  do
  :: atomic {
    ends[me].dial == idle ->
    if
    :: ends[me].live != NONE -> ends[me].dial = done
    :: else ->
      if
      :: yields(me) -> ends[me].dial = waiting
      :: else ->
        printf("%c: dials with a hello\n", (me == S -> 'S' : 'L'));
        ends[me].dial = dialling;
        line[other(me)]!hello(me)
      fi
    fi
  }
  :: atomic {
    line[me]??hello(key) ->
    if
    :: refuses(me) ->
      printf("%c: answers without a hello\n", (me == S -> 'S' : 'L'));
      line[other(me)]!emptyAnswer(key)
    :: else ->
      if
      :: givesUp(me) -> ends[me].dial = waiting
      :: else
      fi;
      printf("%c: answers with a hello\n", (me == S -> 'S' : 'L'));
      ends[me].pending = key;
      line[other(me)]!answer(key)
    fi
  }
  :: atomic {
    line[me]??emptyAnswer(key) ->
    ends[me].dial = (ends[me].dial == dialling -> waiting : ends[me].dial)
  }
  :: atomic {
    line[me]??answer(key) ->
    if
    :: takesAnswer(me) ->
      ends[me].pending = (drops(me) -> NONE : ends[me].pending);
      use(me, key)
    :: else
    fi
  }
  :: atomic {
    line[me]??record(key) ->
    if
    :: ends[me].pending == key ->
      ends[me].pending = NONE;
      use(me, key)
    :: else
    fi
  }
  od
}

init {
  atomic {
    ends[S].live = NONE; ends[S].pending = NONE;
    ends[L].live = NONE; ends[L].pending = NONE;
    run Peer(S);
    run Peer(L)
  };
  /* Nothing is under way any more, and both have dialled. */
  timeout ->
  holds(one_connection, ends[S].live != NONE && ends[S].live == ends[L].live)
}
