/** Who comes to a program that waits on a terminal, and where contacts are found: real programs. */
import { readFileSync, rmSync } from 'node:fs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeEach, describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
const contacts = (): string => bed.folder.file('.config/showchain/contacts.json')

beforeEach(() => rmSync(contacts(), { force: true }))

const ticketIn = async (program: Program): Promise<string> => (await program.stdout.line(/^showchain:/)).trim()

describe('a stranger at a terminal', () => {
  test.each([
    ['', 3],
    ['o', 0],
  ])('that runs listen --pipe: %j', async (answer, code) => {
    const bob = bed.terminal('exec $S listen --ephemeral $L --pipe >$D/copy')
    const ticket = await ticketIn(bob)
    await bob.stdout.line(/about others you are asked/)
    const alice = bed.shell(`echo hello | exec $S connect $L --pipe '${ticket}'`)
    await bob.stdout.line(/ is no contact, and is connected directly, to 127\.0\.0\.1 port/)
    bob.type(answer)
    const ended = await alice.ended()
    expect(ended.code).toBe(code)
    if (code !== 0) expect(ended.stderr).toContain('showchain: the remote peer did not let this one in')
    else expect(readFileSync(bed.folder.file('copy'), 'utf8')).toBe('hello\n')
  })

  test('that serves: always makes a contact, which comes in without a question', async () => {
    const bob = bed.terminal('exec $S serve --ephemeral $L unix:$D/nobody-listens')
    const ticket = await ticketIn(bob)
    const id = (await bed.shell('$S keygen >/dev/null 2>&1; exec $S id').ended()).stdout
    const call = (): Program => bed.shell(`exec $S stdio $L --as-me '${ticket}' </dev/null`)
    const first = call()
    await bob.stdout.line(new RegExp(`${id.slice(0, 8)}… is no contact`))
    bob.type('a')
    bob.type('alice')
    // It is let in, and the target refuses.
    expect((await first.ended()).stderr).toContain('target')
    expect(JSON.parse(readFileSync(contacts(), 'utf8'))).toMatchObject({ contacts: { alice: { id } } })
    expect((await call().ended()).stderr).toContain('target')
    expect(bob.stdout.all.filter((line) => line.includes('is no contact'))).toHaveLength(1)
  })

  test('that serves: who is told no calls no more', async () => {
    const bob = bed.terminal('exec $S serve --ephemeral $L unix:$D/nobody-listens')
    const alice = bed.shell(`exec $S forward $L 0 '${await ticketIn(bob)}'`)
    await bob.stdout.line(/is no contact/)
    bob.type('n')
    const { code, stderr } = await alice.ended()
    expect([code, stderr]).toEqual([3, expect.stringMatching(/\nshowchain: the remote peer did not let this one in$/)])
  })

  test('that sends by a ticket', async () => {
    const sender = bed.terminal('exec $S send $L --text secret')
    const ticket = /'(.*)'/.exec(await sender.stdout.line(/^showchain receive 'showchain:/))?.[1]
    const receiver = bed.shell(`exec $S receive $L --yes '${ticket}'`)
    await sender.stdout.line(/is no contact/)
    sender.type('n')
    const { code, stdout, stderr } = await receiver.ended()
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('did not let this one in')
  })
})

describe('a contact is found where it was last', () => {
  test('by the ticket that reached it, when only its id was known', async () => {
    const bob = bed.shell('exec $S listen --ephemeral $L')
    const ticket = await ticketIn(bob)
    const id = /:([^?]+)/.exec(ticket)?.[1] as string
    await bed.shell(`exec $S contact add bob ${id}`).ended()
    expect((await bed.shell('exec $S ping $L -c 1 bob').ended()).code).toBe(2)
    expect((await bed.shell(`exec $S ping $L -c 1 '${ticket}'`).ended()).code).toBe(0)
    expect((await bed.shell('exec $S ping $L -c 1 bob').ended()).code).toBe(0)
    expect((await bed.shell('exec $S contact list').ended()).stdout).toBe(`bob  ${ticket}`)
  })

  test('by the address from which it called', async () => {
    const alice = bed.shell('exec $S listen --ephemeral $L')
    const ticket = await ticketIn(alice)
    const id = (await bed.shell('$S keygen >/dev/null 2>&1; exec $S id').ended()).stdout
    await bed.shell(`exec $S contact add bob ${id}`).ended()
    const bob = bed.shell(`exec $S connect $L --as-me --linger 60 '${ticket}'`)
    await alice.stderr.line(/connected with/)
    expect((await bed.shell('exec $S contact list').ended()).stdout).toMatch(
      new RegExp(`^bob {2}showchain:${id}\\?addr=127\\.0\\.0\\.1:\\d+$`),
    )
    bob.kill()
  })
})
