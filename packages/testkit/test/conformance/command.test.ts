/** The command as others run it: real processes, so it needs the package built. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/showchain-conformance.js', import.meta.url))

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  return { code: await exited, out: out.join(''), err: err.join('') }
}

/** A program in few lines that answers with what `body` makes of the request `r`. */
const program = (body: string): readonly string[] => [
  process.execPath,
  '-e',
  `require('readline').createInterface({input:process.stdin}).on('line',l=>{const r=JSON.parse(l);console.log(JSON.stringify(${body}))})`,
]

describe('showchain-conformance', () => {
  test('finds our own implementation, in a process of its own, without fault', async () => {
    const { code, out } = await run('--', process.execPath, BIN, '--self')
    expect(out).toMatch(/^[0-9]+ passed, 0 failed, 0 skipped\n$/)
    expect(code).toBe(0)
  })

  test('says what a program gets wrong and exits with 1', async () => {
    const { code, out } = await run('--', ...program(`r.do==='peerId'?{id:r.id,result:'x'}:{id:r.id,unsupported:true}`))
    expect(out).toContain('peerId requester-2048\n  expected "')
    expect(out).toMatch(/\nnot supported: .*\bdecode\b.*\n0 passed, [0-9]+ failed, [0-9]+ skipped\n$/)
    expect(code).toBe(1)
  })

  test('prints each result as a line of JSON when asked to', async () => {
    const { code, out } = await run('--json', '--', ...program(`{id:r.id,unsupported:true}`))
    expect(JSON.parse(out.split('\n')[0] as string)).toEqual({
      vector: 'requester-2048',
      operation: 'peerId',
      outcome: 'skipped',
    })
    expect(code).toBe(1)
  })

  test('fails a program that supports nothing', async () => {
    const { code, out } = await run('--', ...program(`{id:r.id,unsupported:true}`))
    expect(out).toMatch(/\nNo operation is supported: nothing was shown\.\n0 passed, 0 failed, [0-9]+ skipped\n$/)
    expect(code).toBe(1)
  })

  test('takes answers out of order, errors, and what is no JSON for failures', async () => {
    for (const body of ['{id:r.id+1,result:null}', '{id:r.id,error:"broken"}', '"x"', 'null']) {
      const { code, out } = await run('--', ...program(body))
      expect(out).toMatch(/\n0 passed, [0-9]+ failed, 0 skipped\n$/)
      expect(code).toBe(1)
    }
  })

  test('asks a program that has ended nothing more, and says so once', async () => {
    const { code, out } = await run('--', process.execPath, '-e', '0')
    expect(out).toMatch(
      /got {6}ImplementationGone: The program ended without an answer\.\n0 passed, 1 failed, 0 skipped\n$/,
    )
    expect(out.match(/ended/g)).toHaveLength(1)
    expect(code).toBe(1)
  })

  test('says once that a program cannot be started, or an option is unknown, and exits with 2', async () => {
    expect(await run('--', '/does/not/exist')).toEqual({
      code: 2,
      out: '',
      err: 'Cannot start /does/not/exist: spawn /does/not/exist ENOENT\n',
    })
    expect(await run('--no-such-option')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^Unknown .*\n$/),
    })
  })

  test('explains itself', async () => {
    expect(await run()).toMatchObject({ code: 2, out: expect.stringContaining('Usage: showchain-conformance') })
    expect(await run('--help')).toMatchObject({ code: 0 })
  })
})
