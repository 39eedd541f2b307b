/** The built program `showchain` in shells, pipes and terminals. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach } from 'vitest'

const BIN = fileURLToPath(new URL('../node_modules/@showchain/peer-cli/bin/showchain.js', import.meta.url))
const RELAY = fileURLToPath(new URL('../node_modules/@showchain/relay/bin/showchain-relay.js', import.meta.url))
const OPTIONS = '--lab --host 127.0.0.1'
/** What a line of a shell calls the program. */
const ENVIRONMENT = { S: `${process.execPath} ${BIN}`, R: `${process.execPath} ${RELAY}`, L: OPTIONS }

export class EndingsBed {
  readonly folder: Folder = new Folder()
  readonly #programs: Program[] = []

  constructor() {
    afterEach(() => {
      for (const program of this.#programs.splice(0)) program.kill()
    })
    afterAll(() => this.folder.remove())
  }

  /**
   * A line of bash; `$S` is the program, `$L` its options for loopback, `$R` the relay's program,
   * `$D` the test's folder.
   */
  shell(line: string): Program {
    return this.#kept(Program.shell(line, { ...ENVIRONMENT, HOME: this.folder.path, D: this.folder.path }))
  }

  terminal(line: string): Program {
    return this.#kept(Program.terminal(line, { ...ENVIRONMENT, HOME: this.folder.path, D: this.folder.path }))
  }

  /** `listen --pipe`, and its ticket. */
  async listen(line: string): Promise<{ readonly program: Program; readonly ticket: string }> {
    const program = this.shell(`exec $S listen --ephemeral $L --pipe ${line}`)
    return { program, ticket: await program.stderr.line(/^showchain:/) }
  }

  connect(ticket: string, line: string): Program {
    return this.shell(`exec $S connect --ephemeral $L --pipe ${line} '${ticket}'`)
  }

  /** `send`, and its ticket. */
  async send(line: string): Promise<{ readonly program: Program; readonly ticket: string }> {
    const program = this.shell(`exec $S send $L ${line}`)
    return { program, ticket: await program.stdout.line(/^showchain:/) }
  }

  receive(ticket: string, line: string): Program {
    return this.shell(`exec $S receive $L --yes ${line} '${ticket}'`)
  }

  sha256(name: string): string {
    return createHash('sha256')
      .update(readFileSync(this.folder.file(name)))
      .digest('hex')
  }

  #kept(program: Program): Program {
    this.#programs.push(program)
    return program
  }
}

/** Milliseconds until the promise settles. */
export async function took(promise: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await promise
  return performance.now() - begun
}
