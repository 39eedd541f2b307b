/**
 * `pnpm release:dry`: everything of a release but the publishing, in a temporary clone. Versions
 * with changesets, builds, packs, checks the tarballs, installs them into new projects and runs
 * each README's examples there. Exits with 1 when a check fails.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from './check.ts'
import { CHECKS } from './checks.ts'
import { PackedRelease, remove, temporaryFolder } from './packed.ts'
import { makeReleaseCopy, pendingChangesets } from './release-copy.ts'
import { run } from './shell.ts'
import { problemLines, type Row, releaseTable } from './table.ts'
import { ROOT } from './workspace.ts'

const INTERRUPTED = 130

const say = (text: string): void => void process.stderr.write(`▸ ${text}\n`)

async function check(release: PackedRelease): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const entry of release.workspace.packages) {
    say(`checking ${entry.name} ${entry.manifest.version}`)
    const verdicts = new Map<string, Verdict>()
    for (const { column, appliesTo, run: checked } of CHECKS) {
      if (!appliesTo(entry)) continue
      const failed = (error: Error): Verdict => ({ problems: [error.message] })
      verdicts.set(column, await checked({ entry, release }).catch(failed))
    }
    rows.push({ name: entry.name, verdicts })
  }
  return rows
}

async function main(): Promise<number> {
  const changed = (await run('git', ['status', '--porcelain'], { cwd: ROOT })).stdout
  if (changed !== '') say('uncommitted changes are not part of this release')
  const folder = await temporaryFolder()
  process.once('SIGINT', () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(INTERRUPTED)
  })
  try {
    const copy = join(folder, 'copy')
    const changesets = await pendingChangesets(ROOT)
    await makeReleaseCopy(ROOT, copy, say)
    say('packing')
    const rows = await check(await PackedRelease.of(copy, join(folder, 'packed')))
    const problems = [...problemLines(rows)]
    if (changesets.length === 0) problems.push('no changeset: nothing would be released')
    process.stdout.write(`${releaseTable(rows, [...new Set(CHECKS.map(({ column }) => column))])}\n`)
    for (const problem of problems) process.stdout.write(`${problem}\n`)
    process.stdout.write(
      `${rows.length} packages from ${changesets.length} changesets, ${problems.length} problems; nothing was published\n`,
    )
    return problems.length === 0 ? 0 : 1
  } finally {
    await remove(folder)
  }
}

process.exitCode = await main()
