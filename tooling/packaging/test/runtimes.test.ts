/** The runtimes of the README of @showchain/client: on each, the package as npm installs it runs its first example. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { compile } from '../src/examples.ts'
import { PackedRelease, remove, temporaryFolder } from '../src/packed.ts'
import { run } from '../src/shell.ts'
import { ROOT } from '../src/workspace.ts'

const CLIENT = '@showchain/client'
const NODE = `npm:node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
/** By what npm installs them as. Versions are those that the README names. */
const RUNTIMES = {
  'Node.js 20.19': { name: 'node-20', at: `${NODE}@^20.19`, bin: 'node-20/bin/node', args: [] },
  'Node.js 22': { name: 'node-22', at: `${NODE}@22`, bin: 'node-22/bin/node', args: [] },
  'Node.js 24': { name: 'node-24', at: `${NODE}@24`, bin: 'node-24/bin/node', args: [] },
  'Deno 2.9': { name: 'deno', at: '~2.9.0', bin: '.bin/deno', args: ['run', '--allow-all'] },
  'Bun 1.4': { name: 'bun', at: '~1.4.0', bin: '.bin/bun', args: ['run'] },
} as const
type Runtime = keyof typeof RUNTIMES
const NAMES = Object.keys(RUNTIMES) as readonly Runtime[]

/** Two peers without encryption. */
const PLAINTEXT = `import { generateIdentity, Peer } from '@showchain/client'
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab', plaintext: true } as const
const open = async () => Peer.open({ identity: await generateIdentity(), ...local })
const [alice, bob] = [await open(), await open()]
const toBob = await alice.connect(bob.ticket)
const { value: fromAlice } = await bob.incoming.next()
await Promise.all([toBob.sendDatagram(new TextEncoder().encode('hello Bob')), fromAlice[Symbol.asyncIterator]().next()])
console.log('hello Bob')
await Promise.all([alice.close(), bob.close()])
`

let folder: string
let project: string
let readme: string
/** Why there are no runtimes. */
let missing: string | undefined
beforeAll(async () => {
  folder = await temporaryFolder()
  const release = await PackedRelease.of(ROOT, folder)
  project = (await release.project(CLIENT)).folder
  readme = await readFile(join(ROOT, 'packages/client/README.md'), 'utf8')
  const first = await readFile(join(ROOT, 'packages/client/examples/readme.ts'), 'utf8')
  await compile([first, PLAINTEXT], project, 'current')
  const packages = Object.values(RUNTIMES).map(({ name, at }) => `${name}@${at}`)
  const options = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--prefix',
    join(folder, 'runtimes'),
  ]
  missing = await run('npm', [...options, ...packages], { cwd: folder }).then(
    () => undefined,
    ({ message }: Error) => `no runtimes from the registry: ${message.split('\n').at(-1)}`,
  )
}, 600_000)
afterAll(() => remove(folder))

/** What a runtime makes of a program: the last line of what it says, and whether it ended well. */
async function play(runtime: Runtime, example: 1 | 2): Promise<{ readonly works: boolean; readonly says: string }> {
  const { bin, args } = RUNTIMES[runtime]
  const program = join(folder, 'runtimes', 'node_modules', bin)
  const running = promisify(execFile)(program, [...args, `out/example-${example}.js`], {
    cwd: project,
    timeout: 60_000,
  })
  return await running.then(
    ({ stdout }) => ({ works: true, says: stdout.trim() }),
    ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => ({
      works: false,
      says: `${stdout}${stderr}`,
    }),
  )
}

function skipIfMissing({ task, skip }: TestContext): void {
  if (missing === undefined) return
  Object.assign(task.meta, { missing })
  skip()
}

test.for(NAMES)('%s does what the README says', { tags: ['long'] }, async (runtime, context) => {
  skipIfMissing(context)
  const [, says] = readme.match(new RegExp(`^\\| ${runtime.replace('.', '\\.')} \\| (.*) \\|$`, 'm')) ?? []
  const encrypted = await play(runtime, 1)
  if (says === 'works') expect(encrypted).toEqual({ works: true, says: 'hello Bob came direct' })
  else {
    expect(says).toMatch(/^only with `plaintext`: /)
    expect(encrypted).toEqual({
      works: false,
      says: expect.stringContaining('This JavaScript runtime lacks cryptography'),
    })
  }
  expect(await play(runtime, 2)).toEqual({ works: true, says: 'hello Bob' })
})
