/**
 * Why a pair is relayed, in sentences. A relay sees no NAT and no direct path: it says what it knows, and
 * what follows from that.
 */
import { PAIR_IN_USE, type PairView, type PeerView, type SessionView } from '@showchain/server/runtime'
import { shortId } from './short-id.ts'

/** Milliseconds: so long peers look for a direct path after an introduction (docs/protocol.md). */
const LOOKING = 15_000

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

/** @param peers both, of which `pair` is known */
export function explain(peers: readonly [PeerView, PeerView], { sessions, ...pair }: PairView): readonly string[] {
  const [session] = sessions
  if (session === undefined)
    return [
      'They have no session here: within the last 10 minutes neither asked this relay for the other, or they use another relay.',
    ]
  const [requester, target] = [shortId(session.requester), shortId(session.target)]
  if (!session.answered)
    return [
      `${target} has not answered ${requester}: it does not let it in, or what is sent to it does not arrive. Nothing is forwarded until it answers.`,
    ]
  if (session.idle >= PAIR_IN_USE)
    return [
      `They are not relayed now: nothing was forwarded for ${seconds(session.idle)}. They have left for a direct path, are silent, or have parted.`,
    ]
  return [
    `They are relayed: ${session.bytes.toLocaleString('en')} bytes in ${seconds(session.age)}, asked for by ${requester}.`,
    ...reasonsOf(peers, session, pair),
  ]
}

function reasonsOf(
  peers: readonly [PeerView, PeerView],
  session: SessionView,
  { sameFamily, sameAddress }: Omit<PairView, 'sessions'>,
): readonly string[] {
  const requester = shortId(session.requester)
  const certain = [
    ...peers
      .filter(({ websocket }) => websocket)
      .map(({ id }) => `${shortId(id)} is here by WebSocket: without UDP it has no direct path to anybody.`),
    ...(session.introduced
      ? []
      : [
          `${requester} asked for forwarding and not for an introduction: it, or the other one, was told to use relays only, or the introduction was not answered.`,
        ]),
    ...(sameFamily
      ? []
      : ['One is here by IPv4 and the other by IPv6: where neither has both, no direct path exists.']),
    ...(sameAddress
      ? [
          'Both have the same public address: they are behind one NAT, which may not pass packets back to itself, and they did not find each other in their own network.',
        ]
      : []),
    ...(session.introduced && session.age < LOOKING
      ? [`They met ${seconds(session.age)} ago: looking for a direct path takes up to ${seconds(LOOKING)}.`]
      : []),
  ]
  if (certain.length > 0) return certain
  return [
    'They were introduced, and no direct path opened: both NATs give another port for each destination, or a firewall drops what nobody asked for. `showchain doctor` at each end says which.',
  ]
}
