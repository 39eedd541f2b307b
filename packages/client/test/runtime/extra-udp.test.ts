import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { Datagram } from '../../src/core/endpoint/machine.ts'
import { ExtraUdpSocket, openUdp } from '../../src/runtime/index.ts'

const BYTES = Uint8Array.of(1, 2, 3)

describe('a socket that is there at once', () => {
  test.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('sends over %s from a port of its own and is answered there', async (_family, ip) => {
    const other = await openUdp({ listen: [{ host: ip, port: 0 }] })
    const extra = new ExtraUdpSocket()
    const answer = new Promise<Datagram>((resolve) => extra.onDatagrams(([first]) => resolve(first as Datagram)))
    other.onDatagrams((batch) => {
      for (const { source, bytes } of batch) other.send(source, bytes)
    })
    const to = other.localEndpoints[0] as { ip: string; port: number }
    extra.send(to, BYTES)
    const { source, bytes } = await answer
    expect(source).toEqual(to)
    expect([...bytes]).toEqual([...BYTES])
    await Promise.all([extra.close(), other.close()])
  })

  test('closes without ever having been used, and twice, and sends nothing after it', async () => {
    const unused = new ExtraUdpSocket()
    await unused.close()
    await unused.close()
    unused.send({ ip: '127.0.0.1', port: 9 }, BYTES)
    expect(unused.localEndpoints).toEqual([])
  })
})

/**
 * Uses up all descriptors but some, opens 60 of them, lets them send, and closes them. Prints how
 * many failed, once all have closed.
 */
const PROGRAM = `
  import { closeSync, openSync } from 'node:fs'
  import { ExtraUdpSocket } from '@showchain/client/runtime'
  const taken = []
  try {
    for (;;) taken.push(openSync('/dev/null'))
  } catch {
    for (const file of taken.slice(0, Number(process.argv.at(-1)))) closeSync(file)
  }
  const failed = []
  const sockets = Array.from({ length: 60 }, () => new ExtraUdpSocket((why) => failed.push(why)))
  for (const socket of [...sockets, ...sockets]) socket.send({ ip: '127.0.0.1', port: 9 }, Uint8Array.of(1))
  await Promise.all(sockets.map((socket) => socket.close()))
  console.log(JSON.stringify({ failed: failed.length, why: [...new Set(failed)] }))
`

test.each([
  [20, ['EMFILE']],
  [0, ['EMFILE']],
  [60, []],
])('with %i descriptors left every one of 60 opens or fails, and all close', (left, why) => {
  const run = spawnSync(
    'bash',
    ['-c', 'ulimit -n 256 && exec "$0" --input-type=module -e "$1" "$2"', process.execPath, PROGRAM, String(left)],
    { encoding: 'utf8', cwd: new URL('../..', import.meta.url), timeout: 20_000 },
  )
  expect([run.stderr, run.stdout.trim()]).toEqual(['', JSON.stringify({ failed: 60 - left, why })])
})
