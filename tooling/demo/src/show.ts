/** The demo's output: for people on a terminal, or one JSON object a line. */
import Table from 'cli-table3'
import type { Sent } from './processes.ts'

export interface Row {
  readonly section: string
  readonly what: string
  readonly messages: number
  readonly result: 'ok' | 'failed'
  readonly detail: string
}

export interface Show {
  process(name: string, pid: number | undefined): void
  step(section: string, title: string): void
  message(message: Sent, to: string): void
  note(text: string): void
  summary(rows: readonly Row[], ok: boolean, seconds: number): void
}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 23)

function forPeople(write: (text: string) => void): Show {
  return {
    process: (name, pid) => write(`${name.padEnd(5)} is process ${pid}\n`),
    step: (section, title) =>
      write(`\n── ${section} · ${title} ${'─'.repeat(Math.max(0, 70 - title.length - section.length))}\n`),
    message: ({ at, from, size, text }, to) =>
      write(`${clock(at)}  ${`${from} → ${to}`.padEnd(14)} ${String(size).padStart(4)} B  ${text}\n`),
    note: (text) => write(`              ${text}\n`),
    summary: (rows, ok, seconds) => {
      const table = new Table({
        head: ['seed', 'what', 'messages', 'result', 'detail'],
        style: { head: [], border: [] },
        colAligns: ['left', 'left', 'right', 'left', 'left'],
      })
      for (const { section, what, messages, result, detail } of rows)
        table.push([section, what, messages, result, detail])
      write(
        `\n${table.toString()}\n${ok ? 'All steps succeeded' : 'A step failed'}, in ${seconds.toFixed(1)} s. Sections 4 and 5 use the seed's plaintext messages, which a relay can read; the last connection is encrypted end to end.\n`,
      )
    },
  }
}

function forPrograms(write: (text: string) => void): Show {
  const line = (value: object): void => write(`${JSON.stringify(value)}\n`)
  return {
    process: (name, pid) => line({ event: 'process', name, pid }),
    step: (section, title) => line({ event: 'step', section, title }),
    message: ({ at, from, size, op, text }, to) => line({ event: 'message', at, from, to, size, op, text }),
    note: (text) => line({ event: 'note', text }),
    summary: (rows, ok, seconds) => line({ event: 'summary', ok, seconds, rows }),
  }
}

export const showFor = (json: boolean): Show => (json ? forPrograms : forPeople)((text) => process.stdout.write(text))
