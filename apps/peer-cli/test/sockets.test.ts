/** The program on the other kind of sockets: all other tests use the default, batched where it works. */

import { fileURLToPath } from 'node:url'
import { openUdp } from '@showchain/client/runtime'
import { testAgain } from '@showchain-tooling/vitest/again'
import { needs } from '@showchain-tooling/vitest/needs'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { expect, onTestFinished, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))

const probe = await openUdp({ kind: 'auto', listen: [{ host: '127.0.0.1', port: 0 }] })
await probe.close()
const needsBatched = needs(probe.implementation.kind === 'batched', probe.implementation.reason)

test('a program with a key file finds the optional packages, too', needsBatched, async () => {
  const folder = new Folder()
  onTestFinished(() => folder.remove())
  const identity = folder.file('key.pem')
  await new Program(BIN, ['keygen', '--out', identity]).ended()
  const batched = { SHOWCHAIN_UDP: 'batched' }
  const program = new Program(BIN, ['listen', '--identity', identity, '--lab', '--host', '127.0.0.1'], batched)
  onTestFinished(() => program.kill())
  expect(await program.stdout.line(/./)).toMatch(/^showchain:/)
})

test('every test passes with sockets of node:dgram, too', { tags: ['long'] }, async () => {
  const { code, output } = await testAgain({ SHOWCHAIN_UDP: 'dgram' })
  expect(code, output).toBe(0)
})
