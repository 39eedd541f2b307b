/*
 * Introductions that are recorded, held back and repeated: how often does T act on one request?
 *
 * R dials T once, by requests that have the same hello. T is registered with two relays, which are
 * the attacker: either delivers any request at any time, any number of times.
 */
#include "properties.pml"

/* Bounds of the search: requests of the dial, and the end of time. */
#define REQUESTS 2
#define END 6
/* In steps of the clock: 60 s, and how long the dial goes on making requests. */
#define WINDOW 1
#define DIAL 1

/* Properties. */
mtype = {each_request_once}

/* When R signed each, by its clock. (ts, seq) grows with each: the number of one stands for it. */
byte signedAt[REQUESTS];
byte made = 0;
byte now = 1;
/* R's clock is ahead by this. */
byte ahead;
/* When the dial began (0: not yet). */
byte began = 0;

/* T: by relay, the newest request (0: none is kept); of what was forgotten; its start. */
byte kept[2];
byte forgotten = 0;
byte start = 0;
/* Whether it knows the hello. */
bool known = false;

/* Of the property: what T acted on, by request and relay. */
bool acted[4];

/* Registers of one step; zero between two. */
byte i, relay;
bool fresh;
#define order (i + 1)
#define stamp signedAt[i]

#ifdef NO_STAMP
#define grows true
#else
#define grows (order > kept[relay])
#endif
#define current (stamp + WINDOW >= now && stamp <= now + WINDOW)
#ifdef NO_START
#define afterStart true
#else
#define afterStart (stamp > start)
#endif
#ifdef NO_FLOOR
#define afterForgotten true
#else
#define afterForgotten (order > forgotten)
#endif

inline receive() {
  fresh = (kept[relay] > 0 -> grows : (current && afterStart && afterForgotten));
  if
  :: !known && fresh ->
    printf("T: acts on request %d\n", i + 1);
    holds(each_request_once, !acted[i * 2 + relay]);
    acted[i * 2 + relay] = true;
    kept[relay] = (order > kept[relay] -> order : kept[relay]);
    known = true
  :: else
  fi
}

active proctype World() {
  atomic {
    if
    :: ahead = 0
    :: ahead = WINDOW
    fi
  }
end:
  do
  :: atomic {
    if
    :: now < END -> now++
    :: began == 0 && now < END ->
      began = now;
      printf("R: begins to dial at %d\n", now)
    :: began > 0 && made < REQUESTS && began + DIAL >= now ->
      signedAt[made] = now + ahead;
      made++;
      printf("R: signs request %d at %d\n", made, signedAt[made - 1])
    :: made > 0 ->
      select(i : 0 .. made - 1);
      select(relay : 0 .. 1);
      printf("network: request %d comes by relay %d at %d\n", i + 1, relay + 1, now);
      receive()
    :: known ->
      printf("T: forgets the hello at %d\n", now);
      known = false
    :: select(relay : 0 .. 1);
      forgotten = (kept[relay] > forgotten -> kept[relay] : forgotten);
      kept[relay] = 0;
      printf("T: forgets the newest stamp by relay %d\n", relay + 1)
    :: start == 0 && made > 0 ->
      printf("T: starts again at %d\n", now);
      start = now;
      kept[0] = 0; kept[1] = 0; forgotten = 0;
      known = false;
      /* What a clock signed that is ahead of T's counts once more. */
      do
      :: i < made ->
        if
        :: stamp > start -> acted[i * 2] = false; acted[i * 2 + 1] = false
        :: else
        fi;
        i++
      :: else -> break
      od
    fi;
    i = 0; relay = 0; fresh = false
  }
  od
}
