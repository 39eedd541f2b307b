/*
 * Registration at a relay P: 0x101, 0x102, challenges (0x1F1), and address tokens.
 *
 * R is honest and registered; it may move to another network, and its clock may be set back. M has
 * an identity of its own. It reads, holds back and repeats what R sends, and sends from any
 * address. It receives what comes to its own address, and nothing else.
 */
#include "properties.pml"

/*
 * Addresses: R's, another mapping of R's NAT, another network; M's, somebody else's port behind M's
 * NAT, and somebody else's address. An id whose binding has ended is nowhere.
 */
#define HOME 0
#define MAPPED 1
#define AWAY 2
#define EVIL 3
#define NEAR 4
#define FAR 5
#define NOWHERE 6
#define ip(address) (address == MAPPED -> HOME : (address == NEAR -> EVIL : address))

/* Lengths in units of 300 bytes: a 0x101 without and with padding, 0x1F1, 0x102, a 0x115. */
#define PLAIN 2
#define PADDED 4
#define CHALLENGE 1
#define ANSWER 2
#define PASSED_ON 2
#define MOST_CREDIT 6

/* Bounds of the search: numbers that P gives out, and requests that R signs. */
#define NUMBERS 3
#define REQUESTS 3
#define REQUESTS_BESIDE_M 1

mtype = {R, M}
/* What shows that a request's sender receives at its address. */
mtype = {nothing, cookie, token}
/* Properties. */
mtype = {bound_where_its_id_receives, binding_moves_forward, no_amplification}

/* A cookie is (id, address, number), a token (id, ip, number). Only P can make one. */
typedef Proof {
  mtype kind;
  mtype id;
  byte at;
  byte number
}
/* What R signed, oldest first. The clock is R's. */
typedef Request {
  byte stamp;
  Proof proof
}
Request requests[REQUESTS];
byte made = 0;

/* The two parts of the search: M uses what R signed, or M also uses its own identity. */
bool alone;

byte home = HOME;
byte clock = 3;
bool setBack = false;
/* What R shows next. M's come from P as well. */
Proof held, evilCookie, evilToken;

/*
 * What P keeps of an id: `stamp` is the latest of all requests. `order`, `newest` and `accepted`, a bit
 * for each request, are of the property, not of P.
 */
typedef Sender {
  byte at;
  byte stamp;
  byte order;
  byte newest;
  byte accepted;
  byte cookies
}
Sender senders[2];
#define of(name) senders[(name == M -> 1 : 0)]
/* The number of the newest cookie, and that from which tokens are of this epoch. */
byte number = 0;
byte epoch = 0;
/* Bytes that came from an address that is nobody's in this play, less those that P sent there. */
byte credit[6];
#define victim(address) (address > EVIL)

/* Registers of one step; zero between two. */
byte from, order, stamp, size, i;
mtype who;
bool arrives, valid, grows, repeated;
Proof proof;

#define copy(to, source) \
  to.kind = source.kind; to.id = source.id; to.at = source.at; to.number = source.number
#define give(to, what, whose, where, which) \
  to.kind = what; to.id = whose; to.at = where; to.number = which

#ifdef NO_CHALLENGE
#define unproven true
#else
#define unproven (of(who).at == from)
#endif
#ifdef NO_COOKIE_ADDRESS
#define cookieAddress true
#else
#define cookieAddress (proof.at == from)
#endif
#ifdef NO_COOKIE_ID
#define cookieId true
#else
#define cookieId (proof.id == who)
#endif
#ifdef NO_COOKIE_NEWEST
#define cookieNewest true
#else
#define cookieNewest (proof.number > of(who).cookies)
#endif
#ifdef NO_TOKEN_IP
#define tokenIp true
#else
#define tokenIp (proof.at == ip(from))
#endif
#ifdef NO_TOKEN_ID
#define tokenId true
#else
#define tokenId (proof.id == who)
#endif
#ifdef NO_TOKEN_EPOCH
#define tokenEpoch true
#else
#define tokenEpoch (proof.number >= epoch)
#endif
#ifdef NO_TOKEN_STAMP
#define tokenGrows true
#else
#define tokenGrows grows
#endif
#ifdef NO_TOKEN_BOUND
#define tokenBound true
#else
#define tokenBound (of(who).at == NOWHERE)
#endif
#ifdef NO_BYTES
#define mayReceive(address, bytes) true
#else
#define mayReceive(address, bytes) (!victim(address) || credit[address] >= bytes)
#endif

inline send(to, bytes) {
  if
  :: victim(to) ->
    holds(no_amplification, credit[to] >= bytes);
    credit[to] = credit[to] - bytes
  :: else
  fi
}

/* P takes a 0x101 of `who` with `stamp`, `proof` and `size` that comes from the address `from`. */
inline receive() {
  if
  :: victim(from) -> credit[from] = (credit[from] + size > MOST_CREDIT -> MOST_CREDIT : credit[from] + size)
  :: else
  fi;
  grows = (who == M || stamp > of(who).stamp);
  repeated = (who == R && order == of(who).order && from == of(who).at);
  if
  :: proof.kind == cookie -> valid = cookieAddress && cookieId && cookieNewest
  :: proof.kind == token -> valid = (grows && unproven) || (tokenIp && tokenId && tokenEpoch && tokenGrows && tokenBound)
  :: else -> valid = grows && unproven
  fi;
  if
  :: repeated -> skip
  :: !repeated && valid ->
    printf("P: binds %e to address %d\n", who, from);
    if
    :: who == M -> holds(bound_where_its_id_receives, from == of(M).at || (ip(from) == EVIL && epoch == 0))
    :: else ->
      holds(bound_where_its_id_receives, ip(from) == HOME || ip(from) == home);
      /* Where there is no binding, one that was held back moves none; one that was recorded must not count. */
      holds(binding_moves_forward, from == of(R).at || order > of(R).newest || (of(R).at == NOWHERE && !(of(R).accepted & (1 << order))));
      of(R).order = order;
      of(R).newest = (order > of(R).newest -> order : of(R).newest);
      of(R).accepted = of(R).accepted | (1 << order);
      of(R).stamp = (stamp > of(R).stamp -> stamp : of(R).stamp)
    fi;
    of(who).at = from;
    of(who).cookies = number;
    send(from, ANSWER);
    if
    :: from == EVIL && who == M && epoch == 0 -> give(evilToken, token, M, EVIL, number)
    :: from == home && who == R -> give(held, token, R, home, number)
    :: else
    fi
  :: !repeated && !valid && number < NUMBERS && mayReceive(from, CHALLENGE) ->
    number++;
    printf("P: challenges %e at address %d with cookie %d\n", who, from, number);
    send(from, CHALLENGE);
    if
    :: from == EVIL && who == M && epoch == 0 -> give(evilCookie, cookie, M, EVIL, number)
    :: from == home && who == R -> give(held, cookie, R, home, number)
    :: else
    fi
  :: else
  fi
}

/* A cookie is used once: then R shows nothing until P gives it something. */
inline useCookie() {
  if
  :: held.kind == cookie -> give(held, nothing, 0, 0, 0)
  :: else
  fi
}

active proctype World() {
  atomic {
    if
    :: alone = true
    :: alone = false
    fi;
    of(R).at = HOME;
    of(R).stamp = 2;
    of(M).at = EVIL;
    if
    :: give(held, token, R, HOME, 0)
    :: number = 1; give(held, cookie, R, HOME, 1)
    fi;
    give(evilToken, token, M, EVIL, 0);
    evilCookie.kind = nothing
  }
end:
  do
  :: atomic {
    if
    :: made < (alone -> REQUESTS : REQUESTS_BESIDE_M) ->
      copy(requests[made].proof, held);
      requests[made].stamp = clock;
      proof.kind = held.kind;
      printf("R: signs request %d at its time %d, with %e\n", made + 1, clock, proof.kind);
      made++;
      clock++;
      useCookie()
    :: alone && home == HOME ->
      if
      :: home = MAPPED
      :: home = AWAY
      fi;
      printf("R: moves from address 0 to %d\n", home);
      useCookie()
    :: alone && !setBack && made > 0 ->
      printf("R: its clock is set back\n");
      setBack = true;
      clock = 1
    :: !alone && epoch == 0 && number < NUMBERS ->
      printf("M: leaves its network; the epoch of its token ends\n");
      /* Cookies end sooner. */
      give(evilCookie, nothing, 0, 0, 0);
      number++;
      epoch = number
    :: alone && of(R).at != NOWHERE ->
      printf("P: nothing came from address %d, and the binding of R ends\n", of(R).at);
      of(R).at = NOWHERE
    :: !alone && of(M).at != NOWHERE ->
      printf("P: nothing came from address %d, and the binding of M ends\n", of(M).at);
      of(M).at = NOWHERE
    :: made > 0 ->
      who = R;
      select(i : 0 .. made - 1);
      select(from : 0 .. EVIL);
      order = i + 1;
      stamp = requests[i].stamp;
      copy(proof, requests[i].proof);
      size = PLAIN;
      printf("network: request %d of R comes from address %d\n", order, from);
      arrives = true
    :: !alone ->
      who = M;
      if
      :: copy(proof, evilCookie)
      :: copy(proof, evilToken)
      :: made > 0 -> select(i : 0 .. made - 1); copy(proof, requests[i].proof)
      fi;
      if
      :: from = HOME
      :: from = EVIL
      :: from = NEAR
      :: from = FAR
      fi;
      if
      :: size = PLAIN
      :: size = PADDED
      fi;
      printf("M: sends a request from address %d, with %e of %e\n", from, proof.kind, proof.id);
      arrives = true
    :: !alone && of(M).at != NOWHERE && mayReceive(of(M).at, PASSED_ON) ->
      printf("P: passes a message on to M at address %d\n", of(M).at);
      send(of(M).at, PASSED_ON)
    fi;
    if
    :: arrives -> receive()
    :: else
    fi;
    from = 0; order = 0; stamp = 0; size = 0; i = 0; who = 0; valid = false; grows = false; repeated = false;
    arrives = false;
    give(proof, 0, 0, 0, 0)
  }
  od
}
