/** Finds the generated blocks of a Markdown text and puts the current tables into them. */
import { TABLES } from './tables.ts'

const BLOCK = /(<!-- generated:([a-z-]+) -->\n)([\s\S]*?)(<!-- \/generated -->)/g

export function generatedNames(markdown: string): readonly string[] {
  return [...markdown.matchAll(BLOCK)].map((match) => match[2] as string)
}

export function regenerate(markdown: string): string {
  return markdown.replace(BLOCK, (_block, open: string, name: string, _old: string, close: string) => {
    const table = TABLES[name]
    if (table === undefined) throw new Error(`no generated block is called ${name}: ${Object.keys(TABLES).join(', ')}`)
    return `${open}${table()}\n${close}`
  })
}

/** The ```ts blocks of a README, without their fences. */
export function examplesOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string)
}
