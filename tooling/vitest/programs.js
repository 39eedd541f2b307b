// Real programs in tests: starts a built one, reads its lines as they come, and leaves nothing behind.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export class Lines {
  #lines = []
  #look = new Set()
  #ended = false

  constructor(stream) {
    const look = () => {
      for (const each of this.#look) each()
    }
    createInterface({ input: stream })
      .on('line', (line) => {
        this.#lines.push(line)
        look()
      })
      .on('close', () => {
        this.#ended = true
        look()
      })
  }

  get all() {
    return this.#lines
  }

  line(pattern) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#lines.find((line) => pattern.test(line))
        if (found === undefined && !this.#ended) return
        this.#look.delete(look)
        if (found !== undefined) resolve(found)
        else reject(new Error(`It ended without a line like ${pattern}:\n${this.#lines.join('\n')}`))
      }
      this.#look.add(look)
      look()
    })
  }
}

// which ones programs use is for the whole run to say
const sockets = () => (process.env.SHOWCHAIN_UDP === undefined ? {} : { SHOWCHAIN_UDP: process.env.SHOWCHAIN_UDP })

export class Program {
  constructor(bin, args, environment = {}, command = process.execPath) {
    this.child = spawn(command, [bin, ...args], {
      // Other hosts of this machine's network are no part of a test.
      env: { PATH: process.env.PATH, SHOWCHAIN_NO_LAN_DISCOVERY: '1', ...sockets(), ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.stdout = new Lines(this.child.stdout)
    this.stderr = new Lines(this.child.stderr)
    this.#closed = once(this.child, 'close')
  }

  #closed

  static shell(line, environment = {}) {
    return new Program('--norc', ['-c', line], environment, '/bin/bash')
  }

  static terminal(line, environment = {}) {
    return new Program('-qefc', [line, '/dev/null'], environment, 'script')
  }

  type(line) {
    this.child.stdin.write(`${line}\n`)
  }

  async ended() {
    const [code] = await this.#closed
    return { code, stdout: this.stdout.all.join('\n'), stderr: this.stderr.all.join('\n') }
  }

  kill() {
    this.child.kill('SIGKILL')
  }
}

export class Folder {
  path = mkdtempSync(join(tmpdir(), 'showchain-test-'))

  file(name) {
    return join(this.path, name)
  }

  write(name, content, mode = 0o600) {
    writeFileSync(this.file(name), content, { mode })
    return this.file(name)
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true })
  }
}
