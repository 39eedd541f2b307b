/**
 * That V8 takes what it is told; how much less it collects depends on the speed of the machine, and is a
 * benchmark (pnpm bench streams).
 */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** @returns what a process says that runs this module */
function said(module: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', module], {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url),
    timeout: 60_000,
  })
  return stdout + stderr
}

test('V8 takes the setting, of which it says nothing', () => {
  const setting = "import { allowGarbage } from '@showchain/client/runtime'; allowGarbage(); console.log('set')"
  expect(said(setting)).toBe('set\n')
  // What it says of one that it does not have.
  expect(said("import v8 from 'node:v8'; v8.setFlagsFromString('--heap-growing-percentage=1')")).toContain('flag')
})
