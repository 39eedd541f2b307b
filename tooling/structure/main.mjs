// `pnpm structure`: import circles, files that are too long, imports against the order of chapters. Exit code 1 when
// there is any. `--json` prints the findings as JSON.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHAPTERS, ENTRIES } from './chapters.mjs'
import { circles, foreignEntries, importGraph, upwardImports } from './graph.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const MAX_LINES = 300
/** What would silence a rule about imports in place. */
const SUPPRESSION = new RegExp('biome' + '-ignore[^\\n]*(noImportCycles|noRestrictedImports)')

/** Everything that `pnpm structure` reports about this checkout. */
export function findings() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs'], {
    cwd: root,
    encoding: 'utf8',
  })
  const paths = listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))
  const texts = new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
  const graph = importGraph(texts, sourcesOfEntries())
  const isSource = (path) => !/(^|\/)(test|examples)\//.test(path)
  return {
    circles: circles(graph).map((group) => group.sort()),
    long: [...texts]
      .filter(([path, text]) => isSource(path) && text.split('\n').length - 1 > MAX_LINES)
      .map(([path]) => path),
    upward: [...upwardImports(graph, CHAPTERS), ...foreignEntries(graph, ENTRIES)],
    suppressions: [...texts].filter(([path, text]) => isSource(path) && SUPPRESSION.test(text)).map(([path]) => path),
    files: paths.length,
  }
}

/** The source file of each entry point of each package, as its manifest says. */
function sourcesOfEntries() {
  const manifests = execFileSync('git', ['ls-files', 'packages/*/package.json'], { cwd: root, encoding: 'utf8' })
  const entries = new Map()
  for (const manifest of manifests.trim().split('\n')) {
    const { name, exports = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8'))
    for (const [sub, conditions] of Object.entries(exports)) {
      const source = conditions['@showchain/source']
      if (source !== undefined) entries.set(join(name, sub), join(dirname(manifest), source))
    }
  }
  return entries
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findings()
  const { files, ...lists } = found
  if (process.argv.includes('--json')) console.log(JSON.stringify(found, undefined, 2))
  else {
    console.log(`files read:                                   ${files}`)
    console.log(`import circles, types included:               ${found.circles.length}`)
    console.log(`source files over ${MAX_LINES} lines:                  ${found.long.length}`)
    console.log(`imports against the order of chapters:        ${found.upward.length}`)
    console.log(`lint exceptions for the order of imports:     ${found.suppressions.length}`)
    for (const [name, list] of Object.entries(lists))
      for (const each of list) console.log(`  ${name}: ${Array.isArray(each) ? each.join(' ↔ ') : each}`)
  }
  process.exitCode = Object.values(lists).some((list) => list.length > 0) ? 1 : 0
}
