/** `showchain send` and `showchain receive` with a code, and `showchain-relay --mailbox`: real programs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Connection, Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { mailboxOf, takeCode } from '@showchain/mailbox'
import { encode, FIRST_BYTE } from '@showchain/mailbox/core'
import { parseTicket, type Ticket } from '@showchain/wire'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeEach, describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
const CODE = /^\d+-[a-z]+-[a-z]+$/
let made = 0

let relay: Program
let relayTicket: string

beforeEach(async () => {
  writeFileSync(bed.folder.file('report.pdf'), 'a report')
  relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0 --mailbox')
  relayTicket = await relay.stdout.line(/mailbox=/)
})

const shell = (line: string, ticket = relayTicket): Program => bed.shell(`SHOWCHAIN_RELAY='${ticket}' exec $S ${line}`)

/** `send`, and its code. */
async function send(line = ''): Promise<{ readonly program: Program; readonly code: string }> {
  const program = shell(`send $L ${line} $D/report.pdf`)
  return { program, code: await program.stdout.line(CODE) }
}

function receive(code: string, line = ''): { readonly program: Program; readonly path: string } {
  const path = bed.folder.file(`in-${made++}`)
  mkdirSync(path)
  return { program: shell(`receive $L --yes --out ${path} ${line} ${code}`), path }
}

const reportIn = (path: string): string => readFileSync(`${path}/report.pdf`, 'utf8')
const lastLine = (text: string): string | undefined => text.split('\n').at(-1)
const wrong = (code: string): string => code.replace(/-.*/, '-abandon-ability')

describe('a file arrives', () => {
  test('by a code, as people type it', async () => {
    const { program, code } = await send()
    const { program: receiver, path } = receive(code.toUpperCase().replaceAll('-', ' '))
    expect([(await receiver.ended()).code, (await program.ended()).code]).toEqual([0, 0])
    expect(reportIn(path)).toBe('a report')
  })

  test('from a sender that calls a receiver that waits', async () => {
    const waiting = receive('', '--wait')
    const sender = shell(`send $L --to ${await waiting.program.stdout.line(CODE)} $D/report.pdf`)
    expect([(await waiting.program.ended()).code, (await sender.ended()).code]).toEqual([0, 0])
    expect(reportIn(waiting.path)).toBe('a report')
  })

  test('by a ticket that --ticket printed, either end waiting', async () => {
    const sender = shell('send $L --ticket $D/report.pdf')
    const receiver = receive(`'${await sender.stdout.line(/^showchain:/)}'`)
    expect([(await receiver.program.ended()).code, (await sender.ended()).code]).toEqual([0, 0])
    const waiting = receive('', '--wait --ticket')
    const calling = shell(`send $L --to '${await waiting.program.stdout.line(/^showchain:/)}' $D/report.pdf`)
    expect([(await waiting.program.ended()).code, (await calling.ended()).code]).toEqual([0, 0])
    expect([reportIn(receiver.path), reportIn(waiting.path)]).toEqual(['a report', 'a report'])
  })

  test('by a code that was asked for on a terminal', async () => {
    const { program, code } = await send()
    const path = bed.folder.file(`in-${made++}`)
    mkdirSync(path)
    const receiver = bed.terminal(`SHOWCHAIN_RELAY='${relayTicket}' exec $S receive $L --out ${path}`)
    receiver.type(code)
    await receiver.stdout.line(/offered: report\.pdf/)
    receiver.type('y')
    expect([(await receiver.ended()).code, (await program.ended()).code]).toEqual([0, 0])
    expect(reportIn(path)).toBe('a report')
  })
})

test('the end of the input at the question for a code is told as what it is, on a line of its own', async () => {
  const receiver = bed.terminal(`SHOWCHAIN_RELAY='${relayTicket}' exec $S receive $L`)
  receiver.child.stdin?.write('\u0004')
  const { code, stdout } = await receiver.ended()
  expect([code, lastLine(stdout)]).toEqual([
    2,
    'showchain: no code was given: `showchain send` prints one at the other computer',
  ])
})

describe('a wrong code', () => {
  test('says so at both ends, in one line each, and the right one comes too late', async () => {
    const { program, code } = await send()
    const first = await receive(wrong(code)).program.ended()
    const sender = await program.ended()
    for (const ended of [first, sender]) {
      expect(ended.code).toBe(3)
      expect(lastLine(ended.stderr)).toBe('showchain: The code is wrong; it cannot be used again.')
    }
    const second = await receive(code).program.ended()
    expect([second.code, lastLine(second.stderr)]).toEqual([3, expect.stringContaining('has no such code')])
  })

  test('with a word that no code has spends nothing', async () => {
    const { program, code } = await send()
    const mistyped = await receive(code.replace(/-\w+$/, '-velvat')).program.ended()
    expect([mistyped.code, mistyped.stderr]).toEqual([2, expect.stringContaining('No code has the word "velvat"')])
    expect((await receive(code).program.ended()).code).toBe(0)
    expect((await program.ended()).code).toBe(0)
  })
})

const open = async (): Promise<Peer> =>
  Peer.open({
    identity: await generateIdentity(),
    relays: [relayTicket],
    listen: [{ host: '127.0.0.1' }],
    addressPolicy: 'lab',
  })

test('a code lets in the one who used it, and not others who have the ticket', async () => {
  const { program, code } = await send('--timeout 5')
  await using used = await open()
  await using stranger = await open()
  const ticket = await takeCode(used, mailboxOf(parseTicket(relayTicket)) as Ticket, code)
  await expect(stranger.connect(ticket, { timeout: 2000 })).rejects.toMatchObject({
    code: expect.stringMatching(/ERR_CONNECT_FAILED|ERR_TIMEOUT/),
  })
  expect((await used.connect(ticket)).remoteId).toBe(ticket.id)
  await used.close()
  const { code: exitCode, stderr } = await program.ended()
  expect([exitCode, lastLine(stderr)]).toEqual([3, 'showchain: the one who used the code did not connect'])
})

describe('a code is gone', () => {
  test('when its sender is interrupted', async () => {
    const { program, code } = await send()
    program.child.kill('SIGINT')
    expect((await program.ended()).code).toBe(130)
    const late = await receive(code).program.ended()
    expect([late.code, lastLine(late.stderr)]).toEqual([3, expect.stringContaining('has no such code')])
  })

  test('when the relay with the mailbox ends', async () => {
    const { program, code } = await send()
    relay.child.kill('SIGTERM')
    const sender = await program.ended()
    expect([sender.code, lastLine(sender.stderr)]).toEqual([3, expect.stringContaining('It is going.')])
    const { program: receiver } = receive(code, '--timeout 1')
    const late = await receiver.ended()
    expect([late.code, late.stderr]).toEqual([3, expect.stringMatching(/showchain: .*(relay|mailbox|reached)/i)])
  })

  test('when the relay with the mailbox is killed', async () => {
    const { program } = await send('--dead-after 3')
    relay.kill()
    const { code, stderr } = await program.ended()
    expect([code, lastLine(stderr)]).toEqual([3, expect.stringContaining('The mailbox does not do what it should.')])
  })
})

/** A mailbox in the place of the relay's that gives this answer to everybody, and its ticket. */
async function mailboxThatSays(reason: 'full' | 'often'): Promise<{ readonly mailbox: Peer; readonly ticket: string }> {
  const mailbox = await open()
  await mailbox.registered()
  const serve = async (connection: Connection): Promise<void> => {
    for await (const stream of connection.streams) {
      await stream.write(FIRST_BYTE)
      await stream.write(encode.over(reason))
      await stream.end()
    }
  }
  const accept = async (): Promise<void> => {
    for await (const connection of mailbox.incoming) serve(connection).catch(() => {})
  }
  void accept()
  return { mailbox, ticket: relayTicket.replace(/mailbox=.*/, `mailbox=${mailbox.id}`) }
}

test.each(['full', 'often'] as const)(
  'a mailbox that says %s: the ticket instead, and a code says why',
  async (reason) => {
    const { mailbox, ticket } = await mailboxThatSays(reason)
    try {
      const refused = await shell('receive $L --yes 7-orbit-velvet', ticket).ended()
      expect([refused.code, lastLine(refused.stderr)]).toEqual([
        3,
        expect.stringContaining('takes no more at the moment'),
      ])
      const sender = shell('send $L $D/report.pdf', ticket)
      expect(await sender.stderr.line(/^no code/)).toContain(
        'here is the ticket: The mailbox takes no more at the moment',
      )
      const { program, path } = receive(`'${await sender.stdout.line(/^showchain:/)}'`)
      expect([(await program.ended()).code, (await sender.ended()).code]).toEqual([0, 0])
      expect(reportIn(path)).toBe('a report')
    } finally {
      await mailbox.close()
    }
  },
)

describe('without a mailbox', () => {
  test('a ticket is printed, and a code says what is missing', async () => {
    const bare = relayTicket.replace(/&mailbox=.*/, '')
    const sender = shell('send $L $D/report.pdf', bare)
    const ticket = await sender.stdout.line(/^showchain:/)
    const withCode = await bed.shell(`SHOWCHAIN_RELAY='${bare}' exec $S receive $L --yes 7-orbit-velvet`).ended()
    expect([withCode.code, withCode.stderr]).toEqual([2, expect.stringContaining('none of the relays has a mailbox')])
    const unnamed = await bed.shell(`exec $S receive $L --yes 7-orbit-velvet`).ended()
    expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining('SHOWCHAIN_RELAY')])
    const { program } = receive(`'${ticket}'`)
    expect([(await program.ended()).code, (await sender.ended()).code]).toEqual([0, 0])
  })

  test('that answers, the ticket is printed instead', async () => {
    const absent = relayTicket.replace(/mailbox=.*/, `mailbox=${(await generateIdentity()).id}`)
    const sender = shell('send $L --timeout 1 $D/report.pdf', absent)
    await sender.stderr.line(/^no code from the mailbox, so here is the ticket: /)
    const { program } = receive(`'${await sender.stdout.line(/^showchain:/)}'`)
    expect([(await program.ended()).code, (await sender.ended()).code]).toEqual([0, 0])
  })
})

test('--qr draws the ticket on a terminal, below the line that has it', async () => {
  const sender = bed.terminal(`SHOWCHAIN_RELAY='${relayTicket}' exec $S send $L --qr $D/report.pdf`)
  await sender.stdout.line(/^showchain receive 'showchain:/)
  await sender.stdout.line(/^█[▀▄█ ]{20,}█/)
})
