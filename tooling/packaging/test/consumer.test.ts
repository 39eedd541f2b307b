// Somebody else's project: outside the workspace, with nothing but the tarball of one package and those it
// depends on. It gets what the package needs and no more, compiles the README's example and runs it.
import { readdirSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  APPS,
  LIBRARIES,
  type PublicPackage,
  remove,
  root,
  run,
  temporaryFolder,
  withDependencies,
} from './tarballs.ts'

const require = createRequire(import.meta.url)
const TSC = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const TYPES = join(dirname(require.resolve('@types/node/package.json')), '..')

// the third-party packages each library may bring along
const THIRD_PARTY: Readonly<Record<string, readonly string[]>> = {
  '@showchain/wire': ['zod'],
  '@showchain/crypto': ['@noble/hashes', 'node-forge', 'zod'],
  '@showchain/client': ['@noble/hashes', 'node-forge', 'zod'],
  '@showchain/server': ['@noble/hashes', 'node-forge', 'zod'],
  '@showchain/testkit': ['@noble/hashes', 'node-forge', 'zod'],
}

const CONSUMER_TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'nodenext',
    strict: true,
    outDir: 'out',
    rootDir: '.',
    types: ['node'],
    typeRoots: [TYPES],
  },
  files: ['example.ts'],
}

const tarballs = inject('tarballs')

async function newProject(entry: PublicPackage): Promise<string> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const files = withDependencies(entry).map(({ tarball }) => join(tarballs, tarball))
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', '--loglevel=error', ...files],
    {
      cwd: folder,
      shell: process.platform === 'win32',
    },
  )
  return folder
}

/** Names of everything npm put into the project. */
async function installed(folder: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>
  }
  return Object.keys(lock.packages).map((path) =>
    path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  )
}

describe.each(LIBRARIES)('a project that installs $name', (entry) => {
  let project: string
  beforeAll(async () => {
    project = await newProject(entry)
  })
  afterAll(() => remove(project))

  test('gets only what the package needs', async () => {
    const ours = withDependencies(entry).map(({ name }) => name)
    expect([...(await installed(project))].sort()).toEqual([...ours, ...(THIRD_PARTY[entry.name] ?? [])].sort())
  })

  test.each(readdirSync(join(root, entry.folder, 'examples')))(
    "compiles and runs the README's example %s",
    async (name) => {
      await copyFile(join(root, entry.folder, 'examples', name), join(project, 'example.ts'))
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify(CONSUMER_TSCONFIG))
      const compiled = await run(process.execPath, [TSC, '-p', project], { cwd: project }).catch(
        (error: { stdout: string }) => error,
      )
      expect(compiled.stdout).toBe('')
      const { stderr } = await run(process.execPath, ['out/example.js'], { cwd: project, timeout: 60_000 })
      expect(stderr).toBe('')
    },
  )

  test('can load every entry point', async () => {
    const entries = Object.keys(entry.manifest.exports).filter((path) => !path.endsWith('.json'))
    for (const path of entries) {
      const source = `await import(${JSON.stringify(join(entry.name, path))})`
      await run(process.execPath, ['--input-type=module', '-e', source], { cwd: project })
    }
  })
})

describe.each(APPS)('a project that installs $name', (entry) => {
  let project: string
  beforeAll(async () => {
    project = await newProject(entry)
  })
  afterAll(() => remove(project))

  test.each(Object.keys(entry.manifest.bin ?? {}))('can run %s --help', async (bin) => {
    const { stdout } = await run(join(project, 'node_modules', '.bin', bin), ['--help'], {
      cwd: project,
      shell: process.platform === 'win32',
    })
    expect(stdout).toContain(`Usage: ${bin}`)
  })

  test('gets no development tool', async () => {
    const names = await installed(project)
    expect(names.filter((name) => /^(typescript|vitest|fast-check|turbo|@types\/.*)$/.test(name))).toEqual([])
  })
})
