/** `showchain send` and `showchain receive`: real programs, killed, refused, on terminals and full disks. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { needs } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeAll, describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()

/** Of every path, mode and content below: one hash. */
function digest(folder: string): string {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const place = join(path, name)
      const found = lstatSync(place)
      hash.update(
        `${place.slice(folder.length)} ${found.mode.toString(8)} ${found.isSymbolicLink() ? '' : Math.floor(found.mtimeMs)}\n`,
      )
      if (found.isDirectory()) add(place)
      else hash.update(found.isSymbolicLink() ? readlinkSync(place) : readFileSync(place))
    }
  }
  add(folder)
  return hash.digest('hex')
}

let made = 0
/** A new folder to receive into. */
function target(): { readonly path: string; readonly out: string } {
  const path = bed.folder.file(`in-${made++}`)
  mkdirSync(path)
  return { path, out: `--out ${path}` }
}

const ended = async (...programs: readonly Program[]): Promise<readonly (number | null)[]> =>
  (await Promise.all(programs.map((program) => program.ended()))).map(({ code }) => code)

const partsIn = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.endsWith('.part'))

beforeAll(() => {
  const photos = bed.folder.file('photos')
  mkdirSync(join(photos, 'deep/empty folder'), { recursive: true })
  writeFileSync(join(photos, 'large.bin'), randomBytes(3_000_000))
  writeFileSync(join(photos, 'empty'), '')
  writeFileSync(join(photos, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(photos, 'deep/ünï ço\u{1f600} \'"$`'), 'a name')
  symlinkSync('../large.bin', join(photos, 'deep/link'))
  writeFileSync(bed.folder.file('large'), randomBytes(60_000_000))
})

describe('what is sent arrives', () => {
  test('a folder and a file, with all that is in them', async () => {
    const { path, out } = target()
    const { program, ticket } = await bed.send('$D/photos $D/large')
    const receiver = bed.receive(ticket, out)
    expect(await ended(receiver, program)).toEqual([0, 0])
    expect(digest(join(path, 'photos'))).toBe(digest(bed.folder.file('photos')))
    expect(bed.sha256(`${path.split('/').at(-1)}/large`)).toBe(bed.sha256('large'))
    expect(readdirSync(path)).toEqual(['large', 'photos'])
    expect((await receiver.ended()).stderr).toMatch(/offered: photos, large \(5 files, 63.0 MB\)/)
  })

  test('through a relay that SHOWCHAIN_RELAY names', async () => {
    const { path, out } = target()
    const relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0')
    const relayTicket = await relay.stdout.line(/^showchain:/)
    const sender = bed.shell(`SHOWCHAIN_RELAY='${relayTicket}' exec $S send $L $D/photos`)
    const ticket = await sender.stdout.line(/^showchain:.*relay=/)
    const receiver = bed.receive(ticket, `--via relay-only ${out}`)
    expect(await ended(receiver, sender)).toEqual([0, 0])
    expect((await receiver.ended()).stderr).toMatch(/through the relay/)
    expect(digest(join(path, 'photos'))).toBe(digest(bed.folder.file('photos')))
  })

  test('a text, which is printed', async () => {
    const { program, ticket } = await bed.send(`--text $'two\\nlines'`)
    const receiver = bed.receive(ticket, '')
    expect(await receiver.ended()).toMatchObject({ code: 0, stdout: 'two\nlines' })
    expect((await program.ended()).code).toBe(0)
  })

  test('with --json as events, of which the last one is the end', async () => {
    const { out } = target()
    const sender = bed.shell('exec $S send $L --json $D/photos')
    const { ticket } = JSON.parse(await sender.stdout.line(/"ticket"/)) as { readonly ticket: string }
    const receiver = bed.receive(ticket, `--json ${out}`)
    const events = ((await receiver.ended()).stdout ?? '')
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event: string })
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['offer', 'progress', 'received']))
    expect(events.find(({ event }) => event === 'offer')).toMatchObject({
      names: ['photos'],
      files: 4,
      found: 'nothing',
    })
    expect(events.at(-1)).toMatchObject({ event: 'end', bytes: { received: 3_000_016 } })
    const said = (await sender.ended()).stdout.split('\n')
    expect(JSON.parse(said.at(-1) as string)).toMatchObject({ event: 'end' })
  })

  test('ten thousand small files', { tags: ['long'] }, async () => {
    const { path, out } = target()
    for (let folder = 0; folder < 100; folder++) {
      mkdirSync(bed.folder.file(`many/${folder}`), { recursive: true })
      for (let file = 0; file < 100; file++)
        writeFileSync(bed.folder.file(`many/${folder}/${file}`), `${folder} ${file}`)
    }
    const { program, ticket } = await bed.send('$D/many')
    expect(await ended(bed.receive(ticket, out), program)).toEqual([0, 0])
    expect(digest(join(path, 'many'))).toBe(digest(bed.folder.file('many')))
  })

  test('4 GiB that are nearly all zeros', { tags: ['long'] }, async () => {
    const { path, out } = target()
    writeFileSync(bed.folder.file('sparse'), 'at the beginning')
    truncateSync(bed.folder.file('sparse'), 4 * 1024 ** 3)
    const { program, ticket } = await bed.send('$D/sparse')
    expect(await ended(bed.receive(ticket, out), program)).toEqual([0, 0])
    const arrived = statSync(join(path, 'sparse'))
    expect([arrived.size, arrived.blocks < 1000]).toEqual([4 * 1024 ** 3, true])
  })
})

describe('an end that is killed', () => {
  /** Resolves when the part has some of the file. */
  const someOf = (path: string): Promise<unknown> =>
    bed
      .shell(
        `until [ "$(stat -c %s ${path}/*.part/files/large 2>/dev/null || echo 0)" -gt 5000000 ]; do sleep 0.01; done`,
      )
      .ended()

  test.each(['sender', 'receiver'] as const)('goes on where it was: the %s', async (dies) => {
    const { path, out } = target()
    const first = await bed.send('$D/large')
    const receiving = bed.receive(first.ticket, `--dead-after 3 ${out}`)
    await someOf(path)
    const [dead, left] = dies === 'sender' ? [first.program, receiving] : [receiving, first.program]
    dead.kill()
    await dead.ended()
    if (dies === 'sender')
      expect(await left.ended()).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('run both commands again, with the new code or ticket'),
      })
    else left.kill()
    expect(readdirSync(path)).toEqual(partsIn(path))

    const again = await bed.send('$D/large')
    const receiver = bed.receive(again.ticket, out)
    expect(await ended(receiver, again.program)).toEqual([0, 0])
    expect((await receiver.ended()).stderr).toContain('of which a part is there')
    expect(bed.sha256(`${path.split('/').at(-1)}/large`)).toBe(bed.sha256('large'))
    expect(readdirSync(path)).toEqual(['large'])
  })

  test('by Ctrl-C has left something undone: exit code 130, and the other end knows', async () => {
    const { path, out } = target()
    const { program, ticket } = await bed.send('$D/large')
    const receiver = bed.receive(ticket, out)
    await someOf(path)
    receiver.child.kill('SIGINT')
    const { code, stderr } = await receiver.ended()
    expect([code, stderr.match(/what came so far is kept/g)]).toEqual([130, ['what came so far is kept']])
    expect(await program.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining('interrupted by SIGINT') })
    expect(partsIn(path)).toHaveLength(1)
  })
})

test('an end that waits for the other one for more than 2 s says so, and goes on', async () => {
  const { path, out } = target()
  const { program, ticket } = await bed.send('$D/large')
  const receiver = bed.receive(ticket, `--dead-after 60 ${out}`)
  await receiver.stderr.line(/offered/)
  program.child.kill('SIGSTOP')
  await receiver.stderr.line(/^waiting for the other end/)
  program.child.kill('SIGCONT')
  expect(await ended(receiver, program)).toEqual([0, 0])
  expect(readdirSync(path)).toEqual(['large'])
})

test('Ctrl-C at the question keeps nothing: exit code 130', async () => {
  const { path, out } = target()
  const { program, ticket } = await bed.send('$D/photos')
  const receiver = bed.terminal(`exec $S receive $L ${out} '${ticket}'`)
  await receiver.stdout.line(/offered/)
  receiver.child.stdin?.write('\u0003')
  const { code, stdout } = await receiver.ended()
  expect([code, stdout]).toEqual([130, expect.not.stringContaining('is kept')])
  expect((await program.ended()).code).toBe(1)
  expect(readdirSync(path)).toEqual([])
})

describe('what is not received', () => {
  test('because its name is taken: both ends say so, and it stays as it was', async () => {
    const { path, out } = target()
    writeFileSync(join(path, 'large'), 'mine')
    const { program, ticket } = await bed.send('$D/large')
    expect(await bed.receive(ticket, out).ended()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /large is already there: choose another folder with --out, or replace it with --force\.$/,
      ),
    })
    expect(await program.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining('large is already there') })
    expect(readFileSync(join(path, 'large'), 'utf8')).toBe('mine')
    const again = await bed.send('$D/large')
    expect(await ended(bed.receive(again.ticket, `--force ${out}`), again.program)).toEqual([0, 0])
    expect(bed.sha256(`${path.split('/').at(-1)}/large`)).toBe(bed.sha256('large'))
  })

  test('because nobody can be asked: exit code 2, and the sender goes on waiting', async () => {
    const { program, ticket } = await bed.send('$D/photos')
    const refused = bed.shell(`exec $S receive $L '${ticket}' </dev/null`)
    expect(await refused.ended()).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(program.child.exitCode).toBe(null)
  })

  test('by a second one meanwhile: it is told that the sender is busy', async () => {
    const { out } = target()
    const { program, ticket } = await bed.send('$D/large')
    const first = bed.terminal(`exec $S receive $L ${out} '${ticket}'`)
    await program.stderr.line(/connected with/)
    expect(await bed.receive(ticket, target().out).ended()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('busy'),
    })
    first.kill()
  })

  test('by a ping, which wants nothing: the sender goes on waiting', async () => {
    const { path, out } = target()
    const { program, ticket } = await bed.send('$D/photos')
    expect((await bed.shell(`exec $S ping $L -c 1 '${ticket}'`).ended()).code).toBe(0)
    expect(await ended(bed.receive(ticket, out), program)).toEqual([0, 0])
    expect(readdirSync(path)).toEqual(['photos'])
  })

  test('into a folder that is not there', async () => {
    const { ticket } = await bed.send('$D/photos')
    expect(await bed.receive(ticket, '--out $D/nowhere').ended()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file or folder'),
    })
  })

  const isRoot = process.getuid?.() === 0
  test(
    'because the disk is full: one line at both ends',
    needs(isRoot, 'not root: no small file system to fill'),
    async () => {
      const { path, out } = target()
      const { program, ticket } = await bed.send('$D/large')
      // its own mount namespace, which ends with it
      const receiver = bed.shell(
        `exec unshare -m sh -c "mount -t tmpfs -o size=8m none ${path} && exec $S receive $L --yes ${out} '${ticket}'"`,
      )
      const { code, stderr } = await receiver.ended()
      expect([code, stderr]).toEqual([1, expect.stringMatching(/large: no space is left on the disk/)])
      expect(stderr).not.toMatch(/^ {4}at /m)
      expect(await program.ended()).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no space is left on the disk'),
      })
      expect(existsSync(join(path, 'large'))).toBe(false)
    },
  )
})

describe('at a terminal', () => {
  test.each([
    ['y', 0, ['photos']],
    ['n', 1, []],
    ['', 1, []],
  ])('somebody is asked: %s', async (answer, code, there) => {
    const { path, out } = target()
    const { program, ticket } = await bed.send('$D/photos')
    const receiver = bed.terminal(`exec $S receive $L ${out} '${ticket}'`)
    await program.stderr.line(/connected with/)
    await once(receiver.child.stdout as NodeJS.ReadableStream, 'data')
    receiver.type(answer)
    const { code: exit, stdout } = await receiver.ended()
    expect([exit, stdout]).toEqual([code, expect.stringContaining('[y/N]')])
    expect((await program.ended()).code).toBe(code)
    expect(readdirSync(path)).toEqual(there)
  })

  test('the ticket is a command to copy, and it may be pasted when it is asked for', async () => {
    const { path, out } = target()
    const sender = bed.terminal('exec $S send $L $D/photos')
    const line = await sender.stdout.line(/^showchain receive 'showchain:/)
    const receiver = bed.terminal(`exec $S receive $L --yes ${out}`)
    receiver.type(/'(.*)'/.exec(line)?.[1] as string)
    await sender.stdout.line(/is no contact/)
    sender.type('once')
    expect((await receiver.ended()).code).toBe(0)
    expect((await sender.ended()).code).toBe(0)
    expect(readdirSync(path)).toEqual(['photos'])
  })

  test('a bar has the rate, the time left and the path; in a pipe there is none', async () => {
    const { out } = target()
    const { program, ticket } = await bed.send('$D/large')
    const receiver = bed.terminal(`exec $S receive $L --yes ${out} '${ticket}'`)
    const { stdout } = await receiver.ended()
    expect(stdout).toMatch(/\[=+ *\] \d+ % {2}[\d.]+ MB of 60\.0 MB .*directly/)
    expect(stdout).toMatch(/MB\/s, \d+ s left/)
    expect((await program.ended()).stderr).not.toContain('%')
  })

  test.each([80, 60])('of %d columns the bar has the beginning and the end of a long name', async (columns) => {
    const { out } = target()
    const name = 'holiday-film-from-the-lake-part-3-of-5.mp4'
    // As large as lets the bar have a rate: those need half a second.
    writeFileSync(bed.folder.file(name), randomBytes(120_000_000))
    const { ticket } = await bed.send(`$D/${name}`)
    const receiver = bed.terminal(`stty cols ${columns}; exec $S receive $L --yes ${out} '${ticket}'`)
    const { stdout } = await receiver.ended()
    const parts = stdout.split('\u001b').map((part) => part.replace(/^\[[\d;?]*[A-Za-z]/, ''))
    const drawn = parts.filter((part) => /\d+ % .*\/s, \d+ s left /.test(part))
    expect(drawn.length).toBeGreaterThan(0)
    for (const line of drawn) {
      expect(line).toMatch(/ {2}holiday-film.*-3-of-5\.mp4$/)
      expect(line.length).toBeLessThan(columns)
    }
  })

  test('a text and names cannot control it', async () => {
    const { program, ticket } = await bed.send(`--text $'\\e[2Jgone\\xe2\\x80\\xae'`)
    const receiver = bed.terminal(`exec $S receive $L --yes '${ticket}'`)
    const { code, stdout } = await receiver.ended()
    expect([code, stdout]).toEqual([0, expect.stringContaining('\\u{1b}[2Jgone\\u{202e}')])
    expect((await program.ended()).code).toBe(0)
  })
})

test('wrong paths are named, with exit code 2', async () => {
  for (const [line, why] of [
    ['$D/nowhere', /nowhere.*no such file/],
    ['/dev/null', /neither a file nor a folder/],
    ['', /name files or folders/],
    ['--text x $D/photos', /name files or folders/],
  ] as const)
    expect(await bed.shell(`exec $S send $L ${line}`).ended()).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(why),
    })
})
