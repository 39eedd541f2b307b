/** The reference of all packages: every public name has its documentation, and every link leads somewhere. */
import { fileURLToPath } from 'node:url'
import { Application, Logger, LogLevel } from 'typedoc'
import { expect, test } from 'vitest'

const FOLDER = fileURLToPath(new URL('..', import.meta.url))

class Warnings extends Logger {
  readonly found: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.found.push(message)
  }
}

test('every public name is documented', { tags: ['long'] }, async () => {
  const app = await Application.bootstrap({
    options: `${FOLDER}typedoc.json`,
    tsconfig: `${FOLDER}tsconfig.json`,
  })
  const warnings = new Warnings()
  app.logger = warnings
  const project = await app.convert()
  if (project === undefined) throw new Error(`No reference: ${warnings.found.join('\n')}`)
  app.validate(project)
  expect(warnings.found).toEqual([])
  // It has looked at something.
  const names = new Set(Object.values(project.reflections).map(({ name }) => name))
  for (const name of ['Peer', 'sendFiles', 'Relay', 'Internet', 'generateIdentity', 'ShowchainError', 'readFrames'])
    expect(names, name).toContain(name)
})
