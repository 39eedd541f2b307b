/** Real folders: what is received is what was sent, whatever happens on the way. */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { runs, SEED } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileSource } from '../src/index.ts'
import { listing, newFolder, testFolder, transfer, why } from './folders.ts'

const root = testFolder()

/** Each byte that a name may have, alone and at an end. */
const LEGAL = Array.from({ length: 256 }, (_, byte) => byte).filter(
  (byte) => byte >= 0x20 && byte !== 0x2f && byte !== 0x7f,
)

/** A folder with everything in it that can be sent. */
function photos(): string {
  const folder = join(newFolder(root), 'photos')
  mkdirSync(join(folder, 'deep/deeper'), { recursive: true })
  writeFileSync(join(folder, 'a.bin'), randomBytes(300_000))
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(folder, 'secret'), 'only mine', { mode: 0o400 })
  writeFileSync(join(folder, 'deep/deeper/z.bin'), randomBytes(100_000))
  mkdirSync(join(folder, 'empty folder'))
  symlinkSync('../a.bin', join(folder, 'deep/link'))
  symlinkSync('nowhere', join(folder, 'deep/dangling'))
  chmodSync(join(folder, 'deep'), 0o750)
  for (const path of ['a.bin', 'deep/deeper/z.bin', 'deep/deeper', 'deep', '.'])
    utimesSync(join(folder, path), 1_500_000_000, 1_500_000_000)
  return folder
}

describe('a folder', () => {
  test('arrives with its modes, times, links and empty files', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    const { sent, received } = await transfer([folder], into)
    expect([why(sent), received]).toMatchObject(['it succeeded', { value: { type: 'files', found: 'nothing' } }])
    expect(listing(join(into, 'photos'))).toEqual(listing(folder))
    expect(readdirSync(into)).toEqual(['photos'])
    expect(statSync(join(into, 'photos')).mtimeMs).toBe(1_500_000_000_000)
  })

  test('may have names with every legal byte', async () => {
    const [folder, into] = [join(newFolder(root), 'names'), newFolder(root)]
    mkdirSync(folder)
    for (const byte of LEGAL)
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/x`), Buffer.of(byte), Buffer.from('y')]), String(byte))
    expect(why((await transfer([folder], into)).sent)).toBe('it succeeded')
    expect(listing(into)).toEqual(listing(join(folder, '..')))
    expect(listing(folder)).toHaveLength(LEGAL.length)
  })

  test('leaves out links that lead out of it, and names with control characters, and says so', async () => {
    const folder = join(newFolder(root), 'odd')
    mkdirSync(folder)
    symlinkSync('/etc/passwd', join(folder, 'absolute'))
    symlinkSync('../..', join(folder, 'above'))
    writeFileSync(join(folder, 'a\nb'), '')
    writeFileSync(join(folder, 'whole'), '')
    const source = await FileSource.of([folder])
    expect(source.entries).toHaveLength(2)
    expect(source.leftOut).toEqual([
      { path: 'odd/a\\u{a}b', why: 'it has control characters' },
      { path: 'odd/above', why: 'a link, and it leads out of what is sent' },
      { path: 'odd/absolute', why: 'a link, and its target is absolute' },
    ])
  })

  test('of a thousand small files, and several names', async () => {
    const [folder, into] = [join(newFolder(root), 'many'), newFolder(root)]
    for (let at = 0; at < 20; at++) {
      mkdirSync(join(folder, `${at}`), { recursive: true })
      for (let file = 0; file < 50; file++) writeFileSync(join(folder, `${at}/${file}`), `${at} ${file}`)
    }
    writeFileSync(join(folder, '../beside'), 'it')
    const ends = await transfer([folder, join(folder, '../beside')], into)
    expect([why(ends.sent), why(ends.received)]).toEqual(['it succeeded', 'it succeeded'])
    expect(listing(into)).toEqual(listing(join(folder, '..')))
  })

  test('that was received is not received again: it is already there', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    await transfer([folder], into)
    const before = listing(into)
    const { sent, received } = await transfer([folder], into)
    expect(why(received)).toMatch(/photos is already there/)
    expect(why(sent)).toMatch(/not accepted.*photos is already there/)
    expect(listing(into)).toEqual(before)
  })
})

describe('a file', () => {
  const MIB = 1024 ** 2
  test('of 64 MiB that is nearly all holes arrives as that', () => sparse(64 * MIB))
  test('of 4 GiB that is nearly all holes arrives as that', { tags: ['long'] }, () => sparse(4096 * MIB))

  async function sparse(size: number): Promise<void> {
    const [file, into] = [join(newFolder(root), 'sparse'), newFolder(root)]
    const fd = openSync(file, 'w')
    writeSync(fd, 'in the middle', size / 2 + 5)
    truncateSync(file, size)
    const { sent, received, written } = await transfer([file], into)
    expect([why(sent), why(received)]).toEqual(['it succeeded', 'it succeeded'])
    const arrived = statSync(join(into, 'sparse'))
    expect(arrived.size).toBe(size)
    expect(arrived.blocks * 512).toBeLessThan(1_000_000)
    expect(written).toBeLessThan(1_000_000)
    const part = Buffer.alloc(13)
    readSync(openSync(join(into, 'sparse'), 'r'), part, 0, 13, size / 2 + 5)
    expect(part.toString()).toBe('in the middle')
  }

  test('that changes while it is sent stops the transfer, and nothing is there', async () => {
    const [file, into] = [join(newFolder(root), 'changing'), newFolder(root)]
    writeFileSync(file, randomBytes(2_000_000))
    const accept = (): boolean => {
      writeFileSync(file, randomBytes(1_000_000))
      return true
    }
    const { sent, received } = await transfer([file], into, { accept })
    expect(why(sent)).toMatch(/changing changed while it was sent/)
    expect(why(received)).toMatch(/stopped before its end/)
    expect(existsSync(join(into, 'changing'))).toBe(false)
  })

  test('that is declined is not written', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    const { sent, received } = await transfer([folder], into, { accept: () => false })
    expect([why(sent), why(received)]).toEqual([
      expect.stringMatching(/not accepted/),
      expect.stringMatching(/not accepted/),
    ])
    expect(readdirSync(into)).toEqual([])
  })
})

describe('a transfer that is interrupted', () => {
  const partsIn = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.endsWith('.part'))

  test('anywhere goes on there, and what is whole is never a part', { timeout: 300_000 }, async () => {
    const folder = photos()
    const whole = (await transfer([folder], newFolder(root))).written
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: whole - 1 }), { minLength: 1, maxLength: 3 }),
        async (limits) => {
          const into = newFolder(root)
          let done = false
          for (const limit of [...limits, Number.POSITIVE_INFINITY]) {
            if (done) break
            // the receiver may have all of it, and not be able to say so
            const { sent } = await transfer([folder], into, { limit })
            done = sent.status === 'fulfilled'
            const named = readdirSync(into).filter((name) => !name.endsWith('.part'))
            if (named.length > 0) expect(listing(join(into, 'photos'))).toEqual(listing(folder))
          }
          expect(done).toBe(true)
          expect(listing(into)).toEqual(listing(join(folder, '..')))
        },
      ),
      { seed: SEED, numRuns: runs(12) },
    )
  })

  test('is not sent again as far as it came', async () => {
    const [file, into] = [join(newFolder(root), 'large'), newFolder(root)]
    writeFileSync(file, randomBytes(5_000_000))
    await transfer([file], into, { limit: 4_000_000 })
    expect(partsIn(into)).toHaveLength(1)
    const { written, received } = await transfer([file], into)
    expect(received).toMatchObject({ value: { found: 'part' } })
    expect(written).toBeLessThan(2_000_000)
    expect(readFileSync(join(into, 'large')).equals(readFileSync(file))).toBe(true)
    expect(readdirSync(into)).toEqual(['large'])
  })

  test('is not gone on with where the part is not the beginning of the file', async () => {
    const [file, into] = [join(newFolder(root), 'large'), newFolder(root)]
    writeFileSync(file, randomBytes(3_000_000))
    await transfer([file], into, { limit: 2_000_000 })
    const part = join(into, partsIn(into)[0] as string, 'files/large')
    writeFileSync(part, randomBytes(statSync(part).size))
    const { received, written } = await transfer([file], into)
    expect(why(received)).toBe('it succeeded')
    expect(written).toBeGreaterThan(3_000_000)
    expect(readFileSync(join(into, 'large')).equals(readFileSync(file))).toBe(true)
  })

  test('is not gone on with when other files are offered', async () => {
    const [file, into] = [join(newFolder(root), 'large'), newFolder(root)]
    writeFileSync(file, randomBytes(3_000_000))
    await transfer([file], into, { limit: 2_000_000 })
    writeFileSync(file, randomBytes(3_000_001))
    const { received } = await transfer([file], into)
    expect(received).toMatchObject({ value: { found: 'nothing' } })
    expect(readFileSync(join(into, 'large')).equals(readFileSync(file))).toBe(true)
  })

  test('before the sender knew that all is there is done at once', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    const whole = (await transfer([folder], newFolder(root))).written
    // the sender wrote everything; its receiver finished and could not say so
    await transfer([folder], into, { limit: whole - 1 })
    const before = listing(join(into, 'photos'))
    const { sent, received, written } = await transfer([folder], into)
    expect([why(sent), received]).toMatchObject(['it succeeded', { value: { found: 'whole' } }])
    expect(written).toBeLessThan(1000)
    expect(listing(join(into, 'photos'))).toEqual(before)
    expect(readdirSync(into)).toEqual(['photos'])
  })

  test('whose part has what was not sent does not come to its end', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    await transfer([folder], into, { limit: 100_000 })
    const part = partsIn(into)[0] as string
    writeFileSync(join(into, part, 'files/photos/stray'), 'planted')
    const { sent, received } = await transfer([folder], into)
    expect(why(received)).toMatch(/has not what was sent: remove it/)
    expect(why(sent)).toMatch(/does not fit/)
    expect(readdirSync(into)).toEqual([part])
  })
})

describe('a name that is taken', () => {
  test('is refused before anything is asked, and stays as it is', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    writeFileSync(join(into, 'photos'), 'mine')
    let asked = false
    const { received } = await transfer([folder], into, {
      accept: () => {
        asked = true
        return true
      },
    })
    expect([why(received), asked]).toEqual([expect.stringMatching(/photos is already there/), false])
    expect(listing(into)).toHaveLength(1)
    expect(readFileSync(join(into, 'photos'), 'utf8')).toBe('mine')
  })

  test('is replaced with force: files are, folders are merged', async () => {
    const [folder, into] = [photos(), newFolder(root)]
    mkdirSync(join(into, 'photos/deep'), { recursive: true })
    writeFileSync(join(into, 'photos/a.bin'), 'before')
    writeFileSync(join(into, 'photos/deep/mine'), 'stays')
    expect(why((await transfer([folder], into, { force: true })).received)).toBe('it succeeded')
    expect(readFileSync(join(into, 'photos/a.bin')).equals(readFileSync(join(folder, 'a.bin')))).toBe(true)
    expect(readFileSync(join(into, 'photos/deep/mine'), 'utf8')).toBe('stays')
    expect(readdirSync(into)).toEqual(['photos'])
  })

  test('with force, a link is replaced and not followed', async () => {
    const [folder, into, outside] = [photos(), newFolder(root), newFolder(root)]
    symlinkSync(outside, join(into, 'photos'))
    const { received } = await transfer([folder], into, { force: true })
    expect(why(received)).toMatch(/a file where a folder should be/)
    const { received: merged } = await transfer([join(folder, 'deep')], mkLinked(outside), { force: true })
    expect(why(merged)).toMatch(/a file where a folder should be/)
    expect(readdirSync(outside)).toEqual([])
  })

  /** A folder in which `deep/deeper` leads out. */
  function mkLinked(outside: string): string {
    const into = mkdtempSync(join(root.path, 'linked-'))
    mkdirSync(join(into, 'deep'))
    symlinkSync(outside, join(into, 'deep/deeper'))
    return into
  }
})

test('the folder that receives may be reached by a link', async () => {
  const [folder, into] = [photos(), newFolder(root)]
  symlinkSync(into, root.file('by-link'))
  expect(why((await transfer([folder], root.file('by-link'))).received)).toBe('it succeeded')
  expect(listing(join(into, 'photos'))).toEqual(listing(folder))
  rmSync(root.file('by-link'))
})

describe('what cannot be sent is said before anything is', () => {
  test.each([
    ['what is not there', () => [root.file('nowhere')], 'ERR_FILE_READ'],
    ['a device', () => ['/dev/null'], 'ERR_BAD_ARGUMENT'],
    ['the root of the file system', () => ['/'], 'ERR_BAD_ARGUMENT'],
    ['two of one name', () => [photos(), photos()], 'ERR_BAD_ARGUMENT'],
    ['nothing', () => [], 'ERR_BAD_ARGUMENT'],
    ['control characters', () => [newFolder(root, 'a\x1bb')], 'ERR_BAD_ARGUMENT'],
  ])('%s', async (_name, paths, code) => {
    await expect(FileSource.of(paths())).rejects.toMatchObject({ code })
  })
})
