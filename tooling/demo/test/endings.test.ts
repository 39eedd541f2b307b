/** How `showchain --pipe` ends: what both ends say and which exit codes they give. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeAll, describe, expect, test } from 'vitest'
import { EndingsBed, took } from './endings-bed.ts'

const SECOND = 1000
const bed = new EndingsBed()
/** More than the windows and pipes on the way hold, so that a transfer is under way. */
const ENDLESS = '</dev/zero >/dev/null'

beforeAll(() => writeFileSync(bed.folder.file('file'), randomBytes(2_000_000)))

const codes = async (...programs: readonly Program[]): Promise<readonly (number | null)[]> =>
  (await Promise.all(programs.map((program) => program.ended()))).map(({ code }) => code)

/** Resolves when the program has received something. */
const received = async ({ child }: Program): Promise<void> =>
  void (await once(child.stdout as NodeJS.ReadableStream, 'data'))

/**
 * For the shell line of a listener: its output goes nowhere, and `came` resolves when there was some. A
 * caller that leaves before its first byte has asked for nothing, and the listener waits for the next.
 */
let outputs = 0
function output(): { readonly line: string; came(): Promise<unknown> } {
  const file = `$D/came-${outputs++}`
  const came = (): Promise<unknown> => bed.shell(`until [ -s ${file} ]; do sleep 0.1; done`).ended()
  return { line: `> >(head -c 1 >${file}; cat >/dev/null)`, came }
}

const connected = async (...programs: readonly Program[]): Promise<void> =>
  void (await Promise.all(programs.map(({ stderr }) => stderr.line(/connected with/))))

describe('a file arrives and both programs end with 0', () => {
  test('when the listener sits on a terminal, which counts as the end of its input', async () => {
    const bob = bed.terminal('exec $S listen --ephemeral $L --pipe 2>$D/said >$D/copy')
    // A terminal has no stderr of its own: the shell's fifo would do the same with more words.
    const ticket = await bed.shell('until grep -m1 ^showchain: $D/said; do sleep 0.1; done').stdout.line(/./)
    const alice = bed.connect(ticket, '<$D/file')
    expect(await codes(alice, bob)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
    expect(readFileSync(bed.folder.file('said'), 'utf8')).toContain('stdin is a terminal: nothing is sent from it')
  })

  test('when the one that connects sits on a terminal and receives', async () => {
    const { program, ticket } = await bed.listen('<$D/file')
    const alice = bed.terminal(`exec $S connect --ephemeral $L --pipe '${ticket}' >$D/copy`)
    expect(await codes(alice, program)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
  })

  test('when the receiver has --recv-only and an input that never ends', async () => {
    const { program, ticket } = await bed.listen('--recv-only >$D/copy')
    expect(await codes(bed.connect(ticket, '<$D/file'), program)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
  })

  test('when the sender has --send-only, and the receiver an input that never ends', async () => {
    const { program, ticket } = await bed.listen('>$D/copy')
    expect(await codes(bed.connect(ticket, '--send-only <$D/file'), program)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
  })

  test('when the one that connects never says anything', async () => {
    const { program, ticket } = await bed.listen('--send-only <$D/file')
    const alice = bed.connect(ticket, '>$D/copy')
    expect(await codes(alice, program)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
  })
})

test('what is sent to --send-only is not taken, and its sender knows', async () => {
  const { program, ticket } = await bed.listen('--send-only </dev/null')
  const alice = bed.connect(ticket, ENDLESS)
  expect((await alice.ended()).code).toBe(1)
  expect([0, 1]).toContain((await program.ended()).code)
})

test("the end of the remote peer's input closes stdout, while this end goes on", async () => {
  const { program, ticket } = await bed.listen('')
  const alice = bed.connect(ticket, '')
  alice.child.stdin?.end('all of it')
  await once(program.child.stdout as NodeJS.ReadableStream, 'end')
  expect(program.child.exitCode).toBe(null)
  program.child.stdin?.end('and the answer')
  expect(await alice.ended()).toMatchObject({ code: 0, stdout: 'and the answer' })
  expect((await program.ended()).code).toBe(0)
})

test('a loop through fifos comes to its end', async () => {
  await bed.shell('mkfifo $D/loop').ended()
  const { program, ticket } = await bed.listen('<$D/loop | tr a-z A-Z >$D/loop')
  const alice = bed.connect(ticket, '')
  alice.child.stdin?.end('around')
  expect(await alice.ended()).toMatchObject({ code: 0, stdout: 'AROUND' })
  expect((await program.ended()).code).toBe(0)
})

describe('an end that leaves early says goodbye: the other one fails at once and says why', () => {
  /** Without the goodbye it is 10 s, a third of --dead-after, and the reason is the silence. */
  const AT_ONCE = 8 * SECOND

  const fails = async (program: Program, code: number, why: RegExp): Promise<void> => {
    const ended = program.ended()
    expect(await took(ended)).toBeLessThan(AT_ONCE)
    expect(await ended).toMatchObject({ code, stderr: expect.stringMatching(why) })
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('on %s, with exit code %i', async (signal, code) => {
    const why = new RegExp(
      `: not everything was transferred: the program at the other end stopped: interrupted by ${signal}$`,
    )
    for (const leaves of ['listener', 'caller'] as const) {
      const { line, came } = output()
      const { program, ticket } = await bed.listen(line)
      const alice = bed.connect(ticket, ENDLESS)
      await Promise.all([connected(alice, program), came()])
      const [leaving, staying] = leaves === 'caller' ? [alice, program] : [program, alice]
      leaving.child.kill(signal)
      await fails(staying, 1, why)
      const left = await leaving.ended()
      // Once, not for the connection as well.
      expect([left.code, left.stderr.match(/interrupted by/g)]).toEqual([code, ['interrupted by']])
    }
  })

  test('when what reads its stdout has gone', async () => {
    const { program, ticket } = await bed.listen(ENDLESS)
    const alice = bed.shell(
      `$S connect --ephemeral $L --pipe --recv-only '${ticket}' | head -c 10 >/dev/null; exit $PIPESTATUS`,
    )
    expect((await alice.ended()).code).toBe(1)
    await fails(program, 1, /stdout was closed by what reads it/)
  })

  test('when its disk is full', async () => {
    const { program, ticket } = await bed.listen('>/dev/full')
    const alice = bed.connect(ticket, ENDLESS)
    expect(await program.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining('no space left on device') })
    await fails(alice, 1, /no space left on device/)
  })

  test('when its stdin is a folder', async () => {
    const { program, ticket } = await bed.listen('')
    const alice = bed.connect(ticket, '</')
    expect(await alice.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining('stdin is a folder') })
    await fails(program, 1, /stdin is a folder/)
  })
})

describe('an end that is killed', () => {
  /** The rules say 10 s and 6 s. Without them each takes 30 s, the default of --dead-after. */
  const NOTICED = 20 * SECOND

  test.each(['listener', 'caller'])('is noticed in 10 s by one that sends: kill of the %s', async (killed) => {
    const { line, came } = output()
    const { program, ticket } = await bed.listen(`</dev/zero ${line}`)
    const alice = bed.connect(ticket, ENDLESS)
    await Promise.all([connected(alice, program), came()])
    const [dead, alive] = killed === 'caller' ? [alice, program] : [program, alice]
    dead.child.kill('SIGKILL')
    const ended = alive.ended()
    expect(await took(ended)).toBeLessThan(NOTICED)
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/nothing came from the remote peer/) })
  })

  test.each(['listener', 'caller'])(
    'is noticed by one that is idle in the time that it sets: kill of the %s',
    async (killed) => {
      const { program, ticket } = await bed.listen('--dead-after 6')
      const alice = bed.connect(ticket, '--dead-after 6')
      alice.child.stdin?.write('hello')
      await received(program)
      const [dead, alive] = killed === 'caller' ? [alice, program] : [program, alice]
      dead.child.kill('SIGKILL')
      const ended = alive.ended()
      expect(await took(ended)).toBeLessThan(NOTICED)
      expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/nothing came from the remote peer/) })
    },
  )
})

test.each(['listener', 'caller'])(
  'a %s that is stopped for a third of --dead-after goes on',
  { tags: ['long'] },
  async (stopped) => {
    const { program, ticket } = await bed.listen('--recv-only --dead-after 36 | sha256sum')
    const alice = bed.shell(
      `exec $S connect --ephemeral $L --pipe --dead-after 36 '${ticket}' < <(head -c 30000000 /dev/zero; sleep 11; head -c 30000000 /dev/zero)`,
    )
    await program.stderr.line(/connected with/)
    const { child } = stopped === 'caller' ? alice : { child: { pid: nodeUnder(program.child.pid) } }
    process.kill(child.pid as number, 'SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 10 * SECOND))
    process.kill(child.pid as number, 'SIGCONT')
    expect(await codes(alice, program)).toEqual([0, 0])
    const digest = execFileSync('/bin/bash', ['-c', 'head -c 60000000 /dev/zero | sha256sum'], { encoding: 'utf8' })
    expect((await program.ended()).stdout).toBe(digest.trim())
  },
)

/** The program in a pipeline of this shell. */
const nodeUnder = (shell: number | undefined): number =>
  Number(execFileSync('pgrep', ['-P', String(shell), 'node'], { encoding: 'utf8' }).split('\n')[0])

describe('a listener that is busy', () => {
  test('refuses a second connection at once, and serves the first one to its end', async () => {
    const { program, ticket } = await bed.listen('--recv-only')
    const first = bed.connect(ticket, '')
    first.child.stdin?.write('one ')
    await received(program)
    // Without the refusal it would wait until the first one is over, and that is after this.
    const second = bed.connect(ticket, '</dev/null').ended()
    expect(await second).toMatchObject({ code: 3, stderr: expect.stringContaining('the remote peer is busy') })
    first.child.stdin?.end('two')
    expect([(await first.ended()).code, await program.ended()]).toMatchObject([0, { code: 0, stdout: 'one two' }])
  })

  test('serves one after the other with --keep, until a signal', async () => {
    const { program, ticket } = await bed.listen('--keep')
    for (const text of ['one\n', 'two\n']) {
      const alice = bed.connect(ticket, '')
      alice.child.stdin?.end(text)
      expect((await alice.ended()).code).toBe(0)
    }
    program.child.kill('SIGTERM')
    expect(await program.ended()).toMatchObject({ code: 0, stdout: 'one\ntwo' })
  })
})

describe('a listener that pipes is pinged', () => {
  test('and sends its input to the next one that connects, which need not say anything first', async () => {
    const { program, ticket } = await bed.listen('<$D/file')
    const ping = bed.shell(`exec $S ping $L -c 1 '${ticket}'`)
    expect(await ping.ended()).toMatchObject({ code: 0, stdout: expect.stringContaining('1 answered, 0 % lost') })
    const alice = bed.connect(ticket, '>$D/copy')
    alice.child.stdin?.end()
    expect(await codes(alice, program)).toEqual([0, 0])
    expect(bed.sha256('copy')).toBe(bed.sha256('file'))
  })

  test('while it serves another one', async () => {
    const { program, ticket } = await bed.listen('--recv-only')
    const alice = bed.connect(ticket, '')
    alice.child.stdin?.write('one ')
    await received(program)
    expect((await bed.shell(`exec $S ping $L -c 1 '${ticket}'`).ended()).code).toBe(0)
    alice.child.stdin?.end('two')
    expect([(await alice.ended()).code, await program.ended()]).toMatchObject([0, { code: 0, stdout: 'one two' }])
  })

  test('before one that sends lines connects', async () => {
    const { program, ticket } = await bed.listen('</dev/null')
    expect((await bed.shell(`exec $S ping $L -c 1 '${ticket}'`).ended()).code).toBe(0)
    const alice = bed.shell(`echo a line | $S connect --ephemeral $L '${ticket}'`)
    expect([(await alice.ended()).code, await program.ended()]).toMatchObject([0, { stdout: 'a line' }])
  })
})
