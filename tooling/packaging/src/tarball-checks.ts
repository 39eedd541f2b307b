/** Checks that read a tarball only. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { Subject, Verdict } from './check.ts'
import { deadLinks } from './links.ts'
import { folder, tarballPlace } from './places.ts'
import { node, run } from './shell.ts'

const ATTW = join(
  dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')),
  'dist/index.js',
)

const PAPERS = ['LICENSE', 'README.md', 'package.json', 'CHANGELOG.md']
const FOLDERS = /^(dist|src|bin|ops|vectors)\//
const STRAY = /tsbuildinfo|\.test\.|(^|\/)\./
const RELEASED = /^\^\d+\.\d+\.\d+$/

export async function contents({ entry, release }: Subject): Promise<Verdict> {
  const { files, bytes } = release.tarball(entry.name)
  const missing = ['LICENSE', 'README.md', 'package.json'].filter((file) => !files.includes(file))
  const other = files.filter((file) => (!FOLDERS.test(file) && !PAPERS.includes(file)) || STRAY.test(file))
  return {
    problems: [...missing.map((file) => `${file} is missing`), ...other.map((file) => `${file} does not belong there`)],
    figure: `${Math.ceil(bytes.length / 1000)} kB`,
  }
}

const BUNDLE = /^dist\/[^/]+\.js$/
const LICENCES = 'dist/third-party.txt'
/** The bundler's comment above each file: of which installed package it is. */
const BUNDLED = /^\s*\/\/ .*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm

export async function licences({ entry, release }: Subject): Promise<Verdict> {
  const { path, files } = release.tarball(entry.name)
  const read = async (file: string): Promise<string> =>
    (await run('tar', ['-xzOf', path, `package/${file}`], { cwd: release.folder })).stdout
  const [said, ...bundle] = await Promise.all([LICENCES, ...files.filter((file) => BUNDLE.test(file))].map(read))
  const names = new Set(bundle.flatMap((text) => [...text.matchAll(BUNDLED)].map(([, name = '']) => name)))
  const silent = [...names].filter((name) => !said?.includes(`\n${name} `))
  const problems = silent.map((name) => `${LICENCES} says nothing of ${name}`)
  return { problems: names.size === 0 ? ['dist has no bundle'] : problems, figure: `${names.size} said` }
}

export async function versions({ entry, release }: Subject): Promise<Verdict> {
  const { manifest } = release.tarball(entry.name)
  const problems: string[] = []
  const declared = Object.keys(entry.manifest.dependencies ?? {})
  for (const name of declared) {
    const range = manifest.dependencies?.[name] ?? 'nothing'
    const ours = release.workspace.packages.find((candidate) => candidate.name === name)?.manifest.version
    const right = ours === undefined ? RELEASED.test(range) : range === `^${ours}`
    if (!right) problems.push(`${name}: ${range}`)
  }
  return { problems, figure: manifest.version }
}

export async function publintFindings({ entry, release }: Subject): Promise<Verdict> {
  const { bytes } = release.tarball(entry.name)
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const { messages, pkg } = await publint({ pack: { tarball } })
  return { problems: messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code) }
}

export async function types({ entry, release }: Subject): Promise<Verdict> {
  const { path } = release.tarball(entry.name)
  const args = [ATTW, path, '--profile', 'esm-only', '--no-color', '--no-emoji']
  return await node(args, { cwd: release.folder }).then(
    () => ({ problems: [] }),
    (error: Error) => ({ problems: [error.message] }),
  )
}

export async function links({ entry, release }: Subject): Promise<Verdict> {
  const tarball = release.tarball(entry.name)
  const places = { nearby: tarballPlace(tarball), repository: folder(release.workspace.root) }
  return { problems: deadLinks(tarball.readme, places).map((link) => `README.md: ${link} leads nowhere`) }
}
