/** `showchain send` and `showchain receive` find each other by a code of the relay's mailbox. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatKind } from '../rules.ts'
import { isPath, type Scenario } from '../scenario.ts'
import { simulatedPair } from '../simulated.ts'

const WRONG = 3

const code = (kind: NatKind): Scenario => ({
  name: `code-${kind}-${kind}`.toLowerCase(),
  title: `a file by a code, ${kind} → ${kind}, and a wrong code`,
  async run(world) {
    const { lab } = world
    const [here, there] = world.hosts(kind, kind)
    const { ticket: relay } = await lab.relay(2, { mailbox: true })
    const [path, into] = [join(lab.folder, 'by-code'), join(lab.folder, 'by-code-received')]
    writeFileSync(path, 'by a code')
    mkdirSync(into)

    const wrong = await lab.sendByCode(there, relay, path)
    const guess = lab.receive(here, wrong.code.replace(/-.*/, '-abandon-ability'), into, relay)
    const codes = await Promise.all([guess.ended, wrong.program.ended])
    if (codes.some((each) => each !== WRONG)) throw new Error(`a wrong code: ${codes}\n${guess.transcript()}`)

    const { program: sender, code: right } = await lab.sendByCode(there, relay, path)
    const receiver = lab.receive(here, right, into, relay)
    const ended = await Promise.all([receiver.ended, sender.ended])
    const content = ended.every((each) => each === 0) ? readFileSync(join(into, 'by-code'), 'utf8') : ''
    const transcript = `${receiver.transcript()}\n${sender.transcript()}`
    if (content !== 'by a code') throw new Error(`exited with ${ended}\n${transcript}`)
    const kinds = receiver.events.filter(isPath).map((event) => event.path.kind)
    const foreseen = await simulatedPair(kind, kind)
    if (foreseen === 'relay' && kinds.includes('direct')) throw new Error(`direct, not as simulated\n${transcript}`)
    return `${kinds.join(' → ')}; a wrong code ended both with ${WRONG}`
  },
})

export const CODES: readonly Scenario[] = [code('T3')]
