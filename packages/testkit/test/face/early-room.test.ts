/** What has room in the requests of a dial, by the size of the keys (docs/protocol.md, Early frames). */
import type { Connection } from '@showchain/client'
import type { KeyBits } from '@showchain/crypto'
import { expect, test } from 'vitest'
import type { TestIdentity } from '../../src/index.ts'
import { type Face, face, take, textOf, wait } from './bed.ts'

type Via = 'punch' | 'direct'
const WAYS: readonly Via[] = ['punch', 'direct']
const SIZES: readonly KeyBits[] = [2048, 3072, 4096]

/** Two peers whose keys have so many bits, which have met. With RSA-4096 only the second dial brings a hello. */
const met = (bits: KeyBits, via: Via, scenario: (scene: Face & { readonly ticket: string }) => Promise<void>) =>
  face(
    `room ${bits} ${via}`,
    async ({ internet, ...scene }) => {
      const identity = (name: string): TestIdentity => internet.sim.provider.identity(name, bits)
      const [alice, bob] = [
        await internet.peer({ name: 'first', identity: identity('first') }),
        await internet.peer({ name: 'second', identity: identity('second'), acceptEarly: true }),
      ]
      const ticket = via === 'punch' ? bob.ticket.replace(/&addr=[^&]*/g, '') : bob.ticket.replace(/relay=[^&]*&/g, '')
      const known = { ...scene, internet, alice, bob, ticket }
      for (let times = 0; times < 2; times++) await over(known, await alice.connect(ticket, { via }))
      await scenario(known)
    },
    {},
  )

async function over(scene: Face, connection: Connection): Promise<void> {
  await take(scene.bob.incoming)
  await wait(scene, 2000)
  await connection.close()
  await wait(scene, 2000)
}

/** Whether so many bytes were early. All come in one stream, whatever has room. */
async function wasEarly(scene: Face & { readonly ticket: string }, via: Via, length: number): Promise<boolean> {
  const connection = await scene.alice.connect(scene.ticket, { via, early: new Uint8Array(length).fill(97) })
  const theirs = await take(scene.bob.incoming)
  const stream = await take(theirs.streams)
  let text = ''
  while (text.length < length) text += textOf(await stream.read())
  expect(connection.earlyStream?.early).toBe(stream.early)
  await wait(scene, 2000)
  await connection.close()
  await wait(scene, 2000)
  return stream.early
}

test.each(SIZES.flatMap((bits) => WAYS.map((via) => [bits, via] as const)))(
  'RSA-%i by %s: a dial of a peer that was met connects, whatever it says early',
  (bits, via) =>
    met(bits, via, async (scene) => {
      const lengths = [1, 100, 400, 500, 600, 700, 800, 900, 920, 932, 933, 1024]
      for (const length of lengths) await wasEarly(scene, via, length)
    }),
)

/** The table of docs/protocol.md. */
const MOST: readonly (readonly [KeyBits, Via, number])[] = [
  [2048, 'punch', 725],
  [3072, 'punch', 597],
  [4096, 'punch', 469],
  [2048, 'direct', 424],
  [3072, 'direct', 168],
]

test.each(MOST)('RSA-%i by %s: %i bytes have room, and no more', (bits, via, most) =>
  met(bits, via, async (scene) => {
    expect([await wasEarly(scene, via, most), await wasEarly(scene, via, most + 1)]).toEqual([true, false])
  }),
)

test('RSA-4096 by direct: nothing has room, since a request may have to show a cookie', () =>
  met(4096, 'direct', async (scene) => expect(await wasEarly(scene, 'direct', 1)).toBe(false)))
