/*
 * T's consent at a relay P that is honest: what R can have P send to T before T agreed.
 *
 * R and M do what they like with the sessions between R and T. M has no part in them. Nobody can
 * sign as T, and T's messages come when the network likes.
 */
#include "properties.pml"

/* Bounds of the search: sessions that R opens, and the packets before consent (in truth four). */
#define SESSIONS 2
#define BUDGET 2

mtype = {R, T, M}
/* Properties. */
mtype = {no_frame_before_consent, few_messages_before_consent, only_ends_send}

/* Whether it is open, whether P takes it for agreed to, and whether T did agree. */
typedef Session {
  bool open;
  bool consented;
  bool agreed
}
Session sessions[SESSIONS];
/* Messages (0x124) that P passed on without consent: by its own count, and in truth. */
byte spent[SESSIONS];
byte passed = 0;

/* Registers of one step; zero between two. */
byte s, named;
mtype who;

#ifdef NO_FRAME_CONSENT
#define mayPass(session) true
#else
#define mayPass(session) sessions[session].consented
#endif
#ifdef NO_ACK_SIGNATURE
#define signedByT true
#else
#define signedByT (who == T)
#endif
#ifdef NO_ACK_SESSION
#define namesSession true
#else
#define namesSession (s == named)
#endif
#ifdef NO_SESSION_ENDS
#define isEnd true
#else
#define isEnd (who != M)
#endif
/* All sessions of a pair have one budget. */
#ifdef NO_BUDGET_PAIR
#define left(session) (spent[session] < BUDGET)
#else
#define left(session) (spent[0] + spent[1] < BUDGET)
#endif

active proctype World() {
end:
  do
  :: atomic {
    select(s : 0 .. SESSIONS - 1);
    if
    :: !sessions[s].open ->
      printf("R: opens session %d, by an introduction or a request\n", s);
      sessions[s].open = true
    :: sessions[s].open && !sessions[s].agreed ->
      printf("T: agrees to session %d\n", s);
      sessions[s].agreed = true
    :: sessions[s].open ->
      /* A 0x114 with T's signature is of a session that T agreed to. */
      select(named : 0 .. SESSIONS - 1);
      if
      :: sessions[named].agreed -> who = T
      :: who = R
      fi;
      if
      :: signedByT && namesSession ->
        printf("P: takes a 0x114 signed by %e, of session %d, as consent to session %d\n", who, named, s);
        sessions[s].consented = true
      :: else
      fi
    :: sessions[s].open && sessions[s].agreed ->
      printf("T: sends a frame in session %d\n", s);
      sessions[s].consented = true
    :: sessions[s].open ->
      if
      :: who = R
      :: who = M
      fi;
      printf("%e: sends a frame in session %d\n", who, s);
      if
      :: isEnd && mayPass(s) ->
        printf("P: passes it on to T\n");
        holds(only_ends_send, who == R);
        holds(no_frame_before_consent, sessions[s].agreed)
      :: else
      fi
    :: sessions[s].open && !sessions[s].consented && left(s) ->
      printf("P: passes a message of R on to T in session %d\n", s);
      spent[s]++;
      passed++;
      holds(few_messages_before_consent, passed <= BUDGET)
    :: else
    fi;
    s = 0; named = 0; who = 0
  }
  od
}
