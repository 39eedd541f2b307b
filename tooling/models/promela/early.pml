/*
 * Early data: what R says in its first request, before T answered. How often does T deliver it, and
 * only where it is wanted?
 *
 * R dials T twice, each time with a hello of its own in several requests, whose stamps grow. The
 * network is the attacker: it delivers any request at any time, any number of times. The rules of
 * replays (replay.pml) are left out here: those of early data must do alone.
 *
 * A dial whose second request would be too late makes none, and R dials no more.
 */
#include "properties.pml"

/* Bounds of the search: requests of each dial, dials, and the end of time. */
#define EACH 2
#define DIALS 2
#define REQUESTS 4
#define END 6
/*
 * In steps of the clock: 60 s, how far the stamps of one dial's requests are apart, and how far T's
 * clock is set back once.
 */
#define WINDOW 1
#define SPREAD 1
#define BACK 4

/* Properties. */
mtype = {early_data_once, early_data_wanted}

/* When R signed each, by its clock. (ts, seq) grows with each: the number of one stands for it. */
byte signedAt[REQUESTS];
byte made = 0;
/* Real time; R's clock is ahead by this; T's is as much behind. */
byte now = 1;
byte ahead;
byte behind = 0;
/* The static key of T's that the early data of each dial is sealed for. */
bit sealedFor[DIALS];

/* T's process: its static key, and whether its application takes early data. */
bit staticKey = 0;
bool opted;
/* The newest request whose early data it judged (0: none is kept), and until when that is kept. */
byte judged = 0;
byte until = 0;
/* The latest time that it saw. */
byte latest = 0;

/* Of the property: what was delivered, by dial. */
bool delivered[DIALS];

/* Registers of one step; zero between two. */
byte i;
bool letIn, readable, known, newer, current;
#define stamp signedAt[i]
#define dialOf(request) ((request) / EACH)
#define clock (now - behind)

#ifdef NO_EARLY_OPT_IN
#define wanted true
#else
#define wanted opted
#endif
#ifdef NO_EARLY_CONSENT
#define allowed true
#else
#define allowed letIn
#endif
#ifdef NO_EARLY_CLOCK
#define time clock
#else
#define time (latest > clock -> latest : clock)
#endif
#ifdef NO_EARLY_MEMORY
#define kept WINDOW
#else
#define kept (WINDOW + SPREAD)
#endif
#ifdef NO_EARLY_SPREAD
#define together true
#else
#define together (made % EACH == 0 || now + ahead <= signedAt[made - made % EACH] + SPREAD)
#endif

/* The clock is read, and what is over is forgotten. */
inline look() {
  latest = time;
  judged = (judged > 0 && until < latest -> 0 : judged);
  until = (judged > 0 -> until : 0)
}

inline judge() {
#ifdef NO_STATIC_KEY
  readable = true;
#else
  readable = (sealedFor[dialOf(i)] == staticKey);
#endif
#ifndef NO_EARLY_JUDGED
  known = (judged > 0 && dialOf(judged - 1) == dialOf(i));
#endif
  if
  :: readable && !known ->
    look();
#ifdef NO_EARLY_STAMP
    newer = true;
#else
    newer = (i + 1 > judged);
#endif
#ifdef NO_EARLY_WINDOW
    current = true;
#else
    current = (stamp + WINDOW >= latest && stamp <= latest + WINDOW);
#endif
    if
    :: newer ->
      judged = i + 1;
      until = (stamp > latest -> stamp : latest) + kept;
      if
      :: current ->
        printf("T: delivers the early data of dial %d\n", dialOf(i) + 1);
        holds(early_data_once, !delivered[dialOf(i)]);
        holds(early_data_wanted, opted && letIn);
        delivered[dialOf(i)] = true
      :: else
      fi
    :: else
    fi
  :: else
  fi
}

active proctype World() {
  atomic {
    if
    :: ahead = 0
    :: ahead = WINDOW
    fi;
    if
    :: opted = false
    :: opted = true
    fi
  }
end:
  do
  :: atomic {
    if
    :: now < END -> now++
    :: made < REQUESTS && together ->
      signedAt[made] = now + ahead;
      if
      :: made % EACH == 0 ->
        sealedFor[dialOf(made)] = staticKey;
        printf("R: dials for the time %d at %d\n", dialOf(made) + 1, now)
      :: else
      fi;
      made++;
      printf("R: signs request %d at %d\n", made, signedAt[made - 1])
    :: made > 0 ->
      select(i : 0 .. made - 1);
      if
      :: letIn = false
      :: letIn = true
      fi;
      printf("network: request %d comes at %d, at %d by T's clock\n", i + 1, now, clock);
      if
      :: wanted && allowed -> judge()
      :: else
      fi
    :: judged > 0 ->
      printf("T: judges the early data of somebody else at %d by its clock\n", clock);
      look()
    :: behind == 0 && now > BACK ->
      printf("T: its clock is set back at %d\n", now);
      behind = BACK
    :: staticKey == 0 && made > 0 ->
      printf("T: starts again at %d\n", now);
      staticKey = 1;
      judged = 0; until = 0; latest = 0
    fi;
    i = 0; letIn = false; readable = false; known = false; newer = false; current = false
  }
  od
}
