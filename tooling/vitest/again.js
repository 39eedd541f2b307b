// The quick tests of a package once more, in another environment.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { LONG_VARIABLE } from './tests.js'

const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

export async function testAgain(environment) {
  // What this run tells its own workers is not for the other one.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && name !== LONG_VARIABLE)
  // Another reporter than that of the configuration: the report on disk is of this run.
  const child = spawn(process.execPath, [VITEST, 'run', '--reporter=dot'], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const output = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await ended, output: output.join('\n') }
}
