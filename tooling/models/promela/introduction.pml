/*
 * An introduction with a hello: two signed messages, through a relay that is the attacker.
 *
 * A dials B or M. B is honest, and lets in whom it wants. M has an identity of its own and is the
 * relay: it drops, holds back, repeats and swaps messages, signs what it likes as itself, and knows
 * everything but the others' private keys.
 */
#include "properties.pml"

/* Bound of the search: hellos that B answers. */
#define RUNS 3

mtype = {A, B, M}
/* Properties. */
mtype = {requester_agrees, target_agrees, one_key_one_pair, acts_only_when_dialled, acts_only_with_consent}

/* Ephemeral keys: one of A, one of M, and a new one of B for each hello that it answers. */
#define OF_A 1
#define OF_M 2
#define OF_B 3

/* A's dial: whom, the ephemeral key that it took for the other end's (0: none yet). */
mtype dialled;
byte taken = 0;

/* A hello that B answered: the sender's ephemeral key, and B's own. */
typedef Run {
  mtype peer;
  byte key;
  byte own;
  bool surfaced
}
Run runs[RUNS];
byte answered = 0;
bool letsIn[3];
#define agrees(name) letsIn[(name == A -> 0 : (name == B -> 1 : 2))]

/* Registers of one step; zero between two. */
byte i, key;
mtype signer, target;
bool tag, found;

/*
 * Keys of records come from the two ephemeral keys alone. The prologue is in the hash, which only the
 * sealed part of an answer, its tag, depends on.
 */
#define sameKeys(which, other) (runs[which].key == OF_A && runs[which].own == other)
#ifdef NO_PROLOGUE_IDS
#define samePrologue(which) true
#else
#define samePrologue(which) (runs[which].peer == A && dialled == B)
#endif
#ifdef NO_NEW_EPHEMERAL
#define nextEphemeral OF_B
#else
#define nextEphemeral (OF_B + answered)
#endif

#ifdef NO_REQUESTER_SIGNATURE
#define signs(name) true
#else
#define signs(name) (name == M)
#endif
#ifdef NO_TARGET_SIGNATURE
#define signedByDialled(name) true
#else
#define signedByDialled(name) (name == dialled)
#endif
#ifdef NO_SIGNED_TARGET
#define forB(name) true
#else
#define forB(name) (name == B)
#endif
#ifdef NO_CONSENT
#define mayAnswer(name) true
#else
#define mayAnswer(name) agrees(name)
#endif
#ifdef NO_ANSWER_TAG
#define tagRight true
#else
#define tagRight tag
#endif

/* B takes a 0x112 with a hello of `signer` for `target`: the key is the sender's. */
inline receiveHello() {
  printf("M: passes a hello of %e for %e on to B, with ephemeral key %d\n", signer, target, key);
  if
  :: forB(target) && mayAnswer(signer) && answered < RUNS ->
    holds(acts_only_when_dialled, signer == M || dialled == B);
    holds(acts_only_with_consent, agrees(signer));
    runs[answered].peer = signer;
    runs[answered].key = key;
    runs[answered].own = nextEphemeral;
    printf("B: probes, and answers %e with ephemeral key %d\n", signer, runs[answered].own);
    answered++
#ifdef NO_CONFIRMATION
    ; surface(answered - 1)
#endif
  :: else
  fi
}

/* A takes a 0x115: `tag` says whether the sealed part of the answer opens with A's keys. */
inline receiveAnswer() {
  printf("M: passes an answer signed by %e on to A, with ephemeral key %d\n", signer, key);
  if
  :: taken == 0 && signedByDialled(signer) && tagRight ->
    printf("A: has a connection with %e\n", dialled);
    taken = key;
    i = 0;
    do
    :: i < answered ->
      found = found || (sameKeys(i, key) && runs[i].peer == A);
      holds(one_key_one_pair, !sameKeys(i, key) || (runs[i].peer == A && dialled == B));
      i++
    :: else -> break
    od;
    holds(requester_agrees, dialled != B || found)
  :: else
  fi
}

/* B's application sees a connection. */
inline surface(which) {
  printf("B: has a connection with %e\n", runs[which].peer);
  runs[which].surfaced = true;
  holds(target_agrees, runs[which].peer != A || (taken > 0 && dialled == B && sameKeys(which, taken)))
}

active proctype World() {
  atomic {
    if
    :: dialled = B
    :: dialled = M
    fi;
    printf("A: dials %e, with ephemeral key %d\n", dialled, OF_A);
    agrees(A) = true;
    if
    :: agrees(M) = true
    :: printf("B: does not let M in\n")
    fi
  }
end:
  do
  :: atomic {
    if
    :: signer = A; target = dialled; key = OF_A; receiveHello()
    :: if
      :: signs(M) -> signer = M
      :: signs(A) -> signer = A
      fi;
      target = B;
      if
      :: key = OF_M
      :: key = OF_A
      fi;
      receiveHello()
    :: answered > 0 ->
      /* B's answer as it is, or its ephemeral key and sealed part under M's signature. */
      select(i : 0 .. answered - 1);
      if
      :: signer = B
      :: signer = M
      fi;
      key = runs[i].own;
      tag = sameKeys(i, key) && samePrologue(i);
      receiveAnswer()
    :: /* M knows the secret of its own ephemeral key, and all else that a tag for A needs. */
      signer = M; key = OF_M; tag = true; receiveAnswer()
    :: answered > 0 ->
      select(i : 0 .. answered - 1);
      if
      :: !runs[i].surfaced && taken > 0 && sameKeys(i, taken) -> printf("M: passes a record of A on to B\n"); surface(i)
      :: !runs[i].surfaced && runs[i].key == OF_M -> printf("M: makes a record\n"); surface(i)
      :: else
      fi
    fi;
    i = 0; key = 0; signer = 0; target = 0; tag = false; found = false
  }
  od
}
