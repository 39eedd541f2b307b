/**
 * Two people who have `showchain` and the variable SHOWCHAIN_RELAY, and have read nothing: what they
 * type at their terminals until a folder has arrived behind another NAT, and how long that takes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Lab, PEER_PROGRAM } from '../lab.ts'
import type { Host } from '../lab-options.ts'
import type { Program } from '../program.ts'
import type { Scenario, World } from '../scenario.ts'
import { MIB } from '../transfer.ts'

const FILES = 20
/** Two commands and an answer, without the code. */
const MAX_TYPED = 40
const CODE = /\d+-[a-z]+-[a-z]+$/

/** Somebody at a terminal of a host, in a folder, with `showchain` in PATH. */
class Person {
  readonly folder: string
  #typed = 0
  readonly #lab: Lab
  readonly #host: Host
  readonly #relay: string

  constructor(lab: Lab, host: Host, relay: string) {
    this.folder = join(lab.folder, `home-of-${host.name}`)
    this.#lab = lab
    this.#host = host
    this.#relay = relay
    for (const path of ['bin', '.config/showchain']) mkdirSync(join(this.folder, path), { recursive: true })
    const program = `#!/bin/sh\nexec ${process.execPath} ${PEER_PROGRAM} "$@"\n`
    writeFileSync(join(this.folder, 'bin/showchain'), program, { mode: 0o755 })
    // The lab's addresses are of documentation.
    writeFileSync(join(this.folder, '.config/showchain/config.yaml'), 'lab: true\n')
  }

  /** Characters, without the code and the enter key. */
  get typed(): number {
    return this.#typed
  }

  /** @param copied the code, which was read to them */
  command(line: string, copied = ''): Program {
    this.#typed += line.length
    return this.#lab.start(`person-on-${this.#host.name}`, this.#host.name, [
      ...['env', '-u', 'XDG_CONFIG_HOME', `HOME=${this.folder}`, `SHOWCHAIN_RELAY=${this.#relay}`],
      `PATH=${join(this.folder, 'bin')}:${process.env.PATH}`,
      ...['script', '-qefc', `cd ${this.folder}; exec ${line}${copied}`, '/dev/null'],
    ])
  }

  answer(program: Program, text: string): void {
    this.#typed += text.length
    program.writeLine(text)
  }
}

async function folderArrives({
  lab,
  hosts,
}: Pick<World, 'lab'> & { readonly hosts: readonly [Host, Host] }): Promise<string> {
  const { ticket } = await lab.relay(2, { mailbox: true })
  const [here, there] = hosts.map((host) => new Person(lab, host, ticket)) as [Person, Person]
  mkdirSync(join(here.folder, 'photos'))
  for (let file = 0; file < FILES; file++)
    writeFileSync(join(here.folder, `photos/${file}.jpg`), Buffer.alloc(MIB, file + 1))

  const started = performance.now()
  const sender = here.command('showchain send photos')
  const shown = await sender.until('it shows what the other one types', ({ text }) => CODE.test(String(text)))
  const invitation = String(shown.text)
  const code = CODE.exec(invitation)?.[0] as string
  const typed = invitation.slice(0, -code.length)
  const receiver = there.command(typed, code)
  await receiver.until('it shows the offer', ({ text }) => String(text).includes('offered: photos'))
  there.answer(receiver, 'y')
  const codes = await Promise.all([sender.ended, receiver.ended])
  const seconds = (performance.now() - started) / 1000

  const transcript = `${sender.transcript()}\n${receiver.transcript()}`
  if (codes.some((each) => each !== 0)) throw new Error(`exited with ${codes}\n${transcript}`)
  for (let file = 0; file < FILES; file++) {
    const received = readFileSync(join(there.folder, `photos/${file}.jpg`))
    if (!received.equals(Buffer.alloc(MIB, file + 1)))
      throw new Error(`photos/${file}.jpg is another file\n${transcript}`)
  }
  const characters = here.typed + there.typed
  if (characters > MAX_TYPED) throw new Error(`${characters} characters were typed\n${transcript}`)
  return `2 commands, ${characters} characters beside the code; ${FILES} MiB in ${seconds.toFixed(1)} s from the first key to the end`
}

export const STRANGER: readonly Scenario[] = [
  {
    name: 'stranger',
    title: 'a folder, T3 → T3, by two people who know SHOWCHAIN_RELAY and nothing else',
    needs: { script: 'bsdutils' },
    run: (world) => folderArrives({ lab: world.lab, hosts: world.hosts('T3', 'T3') }),
  },
]
