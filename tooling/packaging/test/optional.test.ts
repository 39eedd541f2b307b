/**
 * The programs on a machine for which an optional package has no binary, or one that does not load:
 * npm installs them without a word, and they do all that their READMEs say.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Program } from '@showchain-tooling/vitest/programs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { commandsOf } from '../src/commands.ts'
import { PackedRelease, remove, temporaryFolder } from '../src/packed.ts'
import { play } from '../src/programs.ts'
import { ROOT } from '../src/workspace.ts'

const [RELAY, PEER_CLI] = ['@showchain/relay', '@showchain/peer-cli']
/** What the relay's log says of its sockets. */
const NO_KOFFI = /^dgram: no batched socket: the package koffi cannot be loaded \([^)\n]*\)$/
/** What a package manager that runs this test hands down, and a user's shell does not have. */
const NPM_OF_A_USER: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^npm_config_(?:loglevel|catalog|verify_deps|npm_globalconfig|_jsr|node_)/i.test(name))
      .map((name) => [name, undefined]),
  ),
  npm_config_loglevel: 'notice',
}
const FRIGHTENING = /koffi|sodium|socket|error|warn/i

let folder: string
let release: PackedRelease
beforeAll(async () => {
  folder = await temporaryFolder()
  release = await PackedRelease.of(ROOT, folder)
})
afterAll(() => remove(folder))

/** Folders of a search path in which these tools are, and nothing that could compile anything. */
async function toolsOnly(...names: readonly string[]): Promise<string> {
  const tools = join(folder, 'tools')
  await mkdir(tools)
  for (const name of names)
    for (const place of [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)])
      await symlink(join(place, name), join(tools, name)).catch(() => {})
  return tools
}

const scriptIn = (project: string, name: string, bin: string): string => join(project, 'node_modules', name, 'bin', bin)

/** Plays the READMEs' commands with the programs of these projects. */
async function playWith(relay: string, peer: string, name: string): Promise<void> {
  const scripts = {
    showchain: scriptIn(peer, PEER_CLI, 'showchain.js'),
    'showchain-relay': scriptIn(relay, RELAY, 'showchain-relay.js'),
  }
  const readmes = [RELAY, PEER_CLI].map((each) => release.tarball(each).readme)
  const played = join(folder, 'played', name)
  await mkdir(played, { recursive: true })
  await play(commandsOf(readmes.join('\n')), scripts, played)
}

/** What the programs of these projects say on stderr until they are there. */
async function wordsOf(relay: string, peer: string): Promise<{ readonly relay: string; readonly peer: string }> {
  const start = (script: string, ...args: readonly string[]): Program => {
    const program = new Program(script, args)
    onTestFinished(() => program.kill())
    return program
  }
  const key = join(folder, `${Math.random()}.pem`)
  const server = start(
    scriptIn(relay, RELAY, 'showchain-relay.js'),
    ...['--identity', key, '--create-identity', '--listen', '127.0.0.1:0', '--log-format', 'json'],
  )
  const listening = await server.stderr.line(/"listening"/)
  const caller = start(
    scriptIn(peer, PEER_CLI, 'showchain.js'),
    ...['listen', '--ephemeral', '--lab', '--host', '127.0.0.1'],
  )
  await caller.stdout.line(/^showchain:/)
  return { relay: (JSON.parse(listening) as { readonly socket: string }).socket, peer: caller.stderr.all.join('\n') }
}

test('an installation without a binary for this machine says nothing, and its programs work', {
  tags: ['long'],
}, async () => {
  // `sh` runs install scripts.
  const PATH = await toolsOnly('node', 'npm', 'sh')
  const projects = await Promise.all(
    [RELAY, PEER_CLI].map(async (name) => {
      const project = join(folder, 'without', name)
      await mkdir(project, { recursive: true })
      await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true }')
      const tarballs = release.withDependencies(name)
      const options = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline', '--cpu=mips64']
      const said = await promisify(execFile)('npm', ['install', ...options, ...tarballs], {
        cwd: project,
        env: { ...process.env, ...NPM_OF_A_USER, PATH },
      })
      // Newer versions of npm name every package that has an install script, whatever came of it.
      const words = `${said.stdout}\n${said.stderr}`.replaceAll(/^npm warn install-scripts.*$/gm, '')
      expect(words.trim()).toMatch(/^added \d+ packages in \d+\w+$/)
      const binaries = (await readdir(join(project, 'node_modules'), { recursive: true })).filter((file) =>
        /koffi.*\.node$/.test(file),
      )
      expect(binaries).toEqual([])
      return project
    }),
  )
  const [relay, peer] = projects as [string, string]
  expect(await wordsOf(relay, peer)).toEqual({
    relay: expect.stringMatching(NO_KOFFI),
    peer: expect.not.stringMatching(FRIGHTENING),
  })
  await playWith(relay, peer, 'without')
})

test('a binary that does not load is not used, and that is no error', { tags: ['long'] }, async () => {
  const [relay, peer] = await Promise.all([RELAY, PEER_CLI].map(async (name) => (await release.project(name)).folder))
  for (const project of [relay, peer] as string[])
    for (const file of await readdir(join(project, 'node_modules'), { recursive: true }))
      if (file.endsWith('.node')) await writeFile(join(project, 'node_modules', file), 'no binary of any machine')
  expect(await wordsOf(relay as string, peer as string)).toEqual({
    relay: expect.stringMatching(NO_KOFFI),
    peer: expect.not.stringMatching(FRIGHTENING),
  })
  await playWith(relay as string, peer as string, 'broken')
})
