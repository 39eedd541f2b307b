/** Starts the built program and reads what it prints. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Lines as they come; each `line()` waits for one that matches. */
export class Lines {
  readonly #lines: string[] = []
  readonly #look = new Set<() => void>()

  constructor(stream: NodeJS.ReadableStream) {
    createInterface({ input: stream }).on('line', (line) => {
      this.#lines.push(line)
      for (const look of this.#look) look()
    })
  }

  get all(): readonly string[] {
    return this.#lines
  }

  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.#lines.find((line) => pattern.test(line))
        if (found === undefined) return
        this.#look.delete(look)
        resolve(found)
      }
      this.#look.add(look)
      look()
    })
  }
}

export class Program {
  readonly child: ChildProcess
  readonly stdout: Lines
  readonly stderr: Lines

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [BIN, ...args], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.stdout = new Lines(this.child.stdout as NodeJS.ReadableStream)
    this.stderr = new Lines(this.child.stderr as NodeJS.ReadableStream)
  }

  async ended(): Promise<Ended> {
    const [code] = (await once(this.child, 'close')) as [number | null]
    return { code, stdout: this.stdout.all.join('\n'), stderr: this.stderr.all.join('\n') }
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}

/** A folder of its own for each test file. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'showchain-relay-test-'))

  file(name: string): string {
    return join(this.path, name)
  }

  write(name: string, content: string): string {
    const path = this.file(name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
