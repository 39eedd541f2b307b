/** What is said with a dial, before it is answered (docs/protocol.md, Early frames). */
import type { Connection, Peer, PeerMemory } from '@showchain/client'
import { decode, OP, type PeerId } from '@showchain/wire'
import { expect, test } from 'vitest'
import { bytesOf, type Face, face, failureOf, take, textOf, wait } from './bed.ts'

const SAID = bytesOf('said early')
const OPTED_IN = { bob: { acceptEarly: true } }
/** One-way trip on the public network, and what a home adds. */
const TRIP = 10

/** Both have met: Alice has Bob's static key, and the connection is over. */
async function meet(scene: Face, ticket = scene.bob.ticket): Promise<void> {
  const connection = await scene.alice.connect(ticket)
  const theirs = await take(scene.bob.incoming)
  await wait(scene, 2000)
  await connection.close()
  await wait(scene, 2000)
  expect(theirs.closedBecause).toBeDefined()
}

interface Said {
  readonly ours: Connection
  readonly theirs: Connection
  readonly text: string
  readonly early: boolean
  /** Milliseconds until Bob had it. */
  readonly after: number
}

/** Alice dials and says something. */
async function say({ internet, alice, bob }: Face, early = SAID, ticket = bob.ticket): Promise<Said> {
  const { clock } = internet.sim
  const start = clock.now()
  const calling = alice.connect(ticket, { early })
  const theirs = await take(bob.incoming)
  const stream = await take(theirs.streams)
  let text = ''
  while (text.length < early.length) text += textOf(await stream.read())
  const after = clock.now() - start
  const ours = await calling
  await stream.write(bytesOf('an answer'))
  expect(textOf(await ours.earlyStream?.read())).toBe('an answer')
  await ours.earlyStream?.write(bytesOf('more'))
  expect(textOf(await stream.read())).toBe('more')
  expect(ours.earlyStream?.early).toBe(stream.early)
  return { ours, theirs, text, early: stream.early, after }
}

/** Streams that come within a minute. */
async function streamsAt(scene: Face, peer: Peer): Promise<readonly string[]> {
  const found: string[] = []
  const listen = async (): Promise<void> => {
    for await (const connection of peer.incoming)
      void (async () => {
        for await (const stream of connection.streams) found.push(textOf(await stream.read().catch(() => undefined)))
      })()
  }
  void listen()
  await wait(scene, 60_000)
  return found
}

test('arrives in two trips at a peer that was met, and says so', () =>
  face(
    'early',
    async (scene) => {
      await meet(scene)
      const said = await say(scene)
      expect([said.text, said.early]).toEqual(['said early', true])
      expect(said.after).toBeLessThan(3 * TRIP)
    },
    OPTED_IN,
  ))

test('arrives with the first packet at an address of the ticket', () =>
  face(
    'early direct',
    async (scene) => {
      const direct = scene.bob.ticket.replace(/relay=[^&]*&/g, '')
      await meet(scene, direct)
      const said = await say(scene, SAID, direct)
      expect([said.text, said.early]).toEqual(['said early', true])
      expect(said.after).toBeLessThan(1.5 * TRIP)
    },
    OPTED_IN,
  ))

test('stays a whole stream: what does not fit a hello, or nobody opted in to, comes once all the same', async () => {
  const long = new Uint8Array(1024).fill(97)
  await face(
    'early and long',
    async (scene) => {
      await meet(scene)
      const said = await say(scene, long)
      expect([said.text.length, said.early]).toEqual([1024, false])
    },
    OPTED_IN,
  )
  await face('early without consent to it', async (scene) => {
    await meet(scene)
    const said = await say(scene)
    expect([said.text, said.early]).toEqual(['said early', false])
  })
})

test('at the first contact is sent when the connection is open', () =>
  face(
    'early and cold',
    async (scene) => {
      const said = await say(scene)
      expect([said.text, said.early]).toEqual(['said early', false])
    },
    OPTED_IN,
  ))

test('on a connection that is open begins a stream of it', () =>
  face(
    'early and late',
    async (scene) => {
      const { alice, bob } = scene
      await alice.connect(bob.ticket)
      const theirs = await take(bob.incoming)
      const again = await alice.connect(bob.ticket, { early: SAID })
      const stream = await take(theirs.streams)
      expect([textOf(await stream.read()), stream.early, again.earlyStream?.early]).toEqual([
        'said early',
        false,
        false,
      ])
    },
    OPTED_IN,
  ))

test('at a target that has restarted is not readable, and is sent again', () =>
  face(
    'early after a restart',
    async (scene) => {
      await meet(scene)
      const { internet } = scene
      await scene.bob.close()
      await wait(scene, 1000)
      const bob = await internet.peer({ name: 'bob', acceptEarly: true })
      const said = await say({ ...scene, bob })
      expect([said.text, said.early]).toEqual(['said early', false])
    },
    OPTED_IN,
  ))

test('at a target that refuses is never delivered', () => {
  let lets = true
  return face(
    'early and refused',
    async (scene) => {
      await meet(scene)
      lets = false
      const { alice, bob } = scene
      const failed = alice.connect(bob.ticket, { early: SAID }).catch((error: unknown) => error)
      expect(await streamsAt(scene, bob)).toEqual([])
      expect(await failed).toMatchObject({ code: 'ERR_CONNECT_FAILED' })
    },
    { bob: { acceptEarly: true, accept: () => lets } },
  )
})

test.each([0, 1, 2, 3])('of both ends that dial at once arrives once at each (seed %i)', (seed) =>
  face(
    `early glare ${seed}`,
    async (scene) => {
      await meet(scene)
      const { alice, bob } = scene
      const [a, b] = await Promise.all([
        alice.connect(bob.ticket, { early: bytesOf('from alice') }),
        bob.connect(alice.ticket, { early: bytesOf('from bob') }),
      ])
      const [atAlice, atBob] = [await take(a.streams), await take(b.streams)]
      expect([textOf(await atAlice.read()), textOf(await atBob.read())]).toEqual(['from bob', 'from alice'])
      expect(await Promise.all([streamsAt(scene, alice), streamsAt(scene, bob)])).toEqual([[], []])
    },
    { both: { acceptEarly: true } },
  ),
)

const INTRODUCTION = OP.punchPassRequest

/** Introductions that came to Bob, as they came. */
function recorded({ internet }: Face): { readonly packets: (() => void)[] } {
  const { network } = internet.sim
  const packets: (() => void)[] = []
  network.filter = (packet, station) => {
    const decoded = decode(packet.bytes)
    const copy = { ...packet, bytes: packet.bytes.slice() }
    if (decoded.ok && decoded.message.op_code === INTRODUCTION) packets.push(() => network.carry(copy, station))
    return true
  }
  return { packets }
}

test.each(['within the minute', 'later', 'after a restart'])(
  'in a recorded introduction delivers nothing, %s',
  (when) =>
    face(
      `early replay ${when}`,
      async (scene) => {
        await meet(scene)
        const record = recorded(scene)
        const { ours, early } = await say(scene)
        expect(early).toBe(true)
        scene.internet.sim.network.filter = () => true
        await ours.close()
        await wait(scene, when === 'later' ? 400_000 : 2000)
        let { bob } = scene
        if (when === 'after a restart') {
          await bob.close()
          bob = await scene.internet.peer({ name: 'bob', acceptEarly: true })
        }
        const received = bob.counters().received
        for (const replay of record.packets) replay()
        expect(record.packets.length).toBeGreaterThan(0)
        expect(await streamsAt(scene, bob)).toEqual([])
        expect(bob.counters().received).toBeGreaterThan(received)
      },
      OPTED_IN,
    ),
)

test('that was taken, and of which no answer came, is not sent again', () =>
  face(
    'early and unanswered',
    async (scene) => {
      await meet(scene)
      const { internet, alice, bob } = scene
      const { network } = internet.sim
      const answers: readonly number[] = [OP.punchPassAck, OP.directResponse]
      const isAnswer = (bytes: Uint8Array): boolean => {
        const decoded = decode(bytes)
        return decoded.ok && answers.includes(decoded.message.op_code)
      }
      network.filter = ({ bytes }) => !isAnswer(bytes) && bytes[0] !== 0xb3
      const ticket = bob.ticket.replace(/&addr=[^&]*/g, '')
      const calling = alice.connect(ticket, { early: SAID })
      const theirs = await take(bob.incoming)
      expect(textOf(await (await take(theirs.streams)).read())).toBe('said early')
      await wait(scene, 900)
      network.filter = ({ bytes }) => !isAnswer(bytes)
      const ours = await calling
      expect(ours.earlyStream).toBeUndefined()
      expect((await streamsAt(scene, bob)).filter((text) => text !== '')).toEqual([])
    },
    OPTED_IN,
  ))

test('needs no new meeting where a memory outlives the process, and garbage in it is none', () => {
  const entries = new Map<PeerId, string>()
  const memory: PeerMemory = {
    get: (id) => entries.get(id),
    set: (id, value) => void (value === undefined ? entries.delete(id) : entries.set(id, value)),
  }
  return face(
    'early with a memory',
    async (scene) => {
      const { internet, bob } = scene
      const keeping = await internet.peer({ name: 'carol', memory })
      await meet({ ...scene, alice: keeping })
      await keeping.close()
      const warnings: string[] = []
      const onWarning = (sentence: string): void => void warnings.push(sentence)
      const again = await internet.peer({ name: 'carol', memory, onWarning })
      const said = await say({ ...scene, alice: again })
      expect([said.early, warnings]).toEqual([true, []])
      await again.close()
      await wait(scene, 2000)
      entries.set(bob.id, '{"version":1,"staticKey":{"key":"AAAA","untilMs":1e99}}')
      const garbled = await internet.peer({ name: 'carol', memory, onWarning })
      expect((await say({ ...scene, alice: garbled })).early).toBe(false)
      expect(warnings).toHaveLength(1)
    },
    OPTED_IN,
  )
})

test('has at most 1024 bytes, and needs protection', () =>
  face('early and wrong', async ({ internet, alice, bob }) => {
    expect(await failureOf(alice.connect(bob.ticket, { early: new Uint8Array(1025) }))).toMatchObject({
      code: 'ERR_BAD_ARGUMENT',
    })
    const plain = await internet.peer({ name: 'plain', plaintext: true })
    expect(await failureOf(plain.connect(bob.ticket, { early: SAID }))).toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
  }))

test('without a record in 30 seconds was the end of the connection', () =>
  face(
    'early and silent',
    async (scene) => {
      await meet(scene)
      const { internet, alice, bob } = scene
      const calling = alice.connect(bob.ticket, { early: SAID }).catch((error: unknown) => error)
      const theirs = await take(bob.incoming)
      expect(textOf(await (await take(theirs.streams)).read())).toBe('said early')
      internet.sim.network.filter = (_packet, { name }) => name !== 'alice'
      await wait(scene, 29_000)
      expect(theirs.closedBecause).toBeUndefined()
      await wait(scene, 1500)
      expect(theirs.closedBecause).toBe('the remote peer said something, and sent nothing more')
      await calling
    },
    OPTED_IN,
  ))
