/** Why two peers are relayed, by what somebody typed of their ids. */
import type { PairView, PeerView } from '@showchain/server/runtime'
import { explain } from './explain.ts'
import type { PairAnswer } from './status-shape.ts'

/** Characters of an id that a question has at least: fewer would be many peers. */
const LEAST_OF_ID = 4
/** Ids are base64url. */
const BEGINNING = /^[\w-]{1,43}$/

/** Where peers are looked up. */
export interface PeerFinder {
  /** Registered peers whose id begins so: two of them say that there are several. */
  named(beginning: string, most: number): Promise<readonly PeerView[]>
  pair(one: PeerView, other: PeerView): PairView | Promise<PairView>
}

/** @param beginnings what somebody typed: ids, or how they begin */
export async function answerPair(finder: PeerFinder, beginnings: readonly [string, string]): Promise<PairAnswer> {
  const problem = beginnings.find((text) => text.length < LEAST_OF_ID || !BEGINNING.test(text))
  if (problem !== undefined)
    return {
      sentences: [
        `An id has letters, digits, - and _: give ${LEAST_OF_ID} of its characters at least, and 43 at most.`,
      ],
    }
  const found = await Promise.all(beginnings.map((text) => finder.named(text, 2)))
  const unclear = found.flatMap((peers, index) => {
    if (peers.length === 1) return []
    const said = peers.length === 0 ? 'No registered peer has an id' : 'Several registered peers have an id'
    return [`${said} that begins with ${beginnings[index]}.`]
  })
  const [[one] = [], [other] = []] = found
  if (unclear.length > 0 || one === undefined || other === undefined) return { sentences: unclear }
  if (one.id === other.id) return { sentences: ['Both are the same peer.'] }
  return { sentences: explain([one, other], await finder.pair(one, other)) }
}
