import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const docs = join(dirname(fileURLToPath(import.meta.url)), '../../../docs')
const page = readFileSync(join(docs, 'architecture.md'), 'utf8')
const journeys = page.slice(page.indexOf('## Journeys'), page.indexOf('## A relay')).split('\n### ').slice(1)

/**
 * The rows of a journey: each function that it names, and the file that the row (or a bracket
 * behind it) links.
 */
function stepsOf(journey: string): readonly { readonly name: string; readonly file: string }[] {
  return journey.split('\n').flatMap((line) => {
    const [, , functions = '', link = ''] = line.split(' | ').flatMap((cell) => cell.split('| '))
    const file = /\]\(([^)]+)\)/.exec(link)?.[1]
    if (file === undefined) return []
    return [...functions.matchAll(/`([A-Za-z]+(?:\.#?[A-Za-z]+)?)`(?: \(\[[^\]]*\]\(([^)]+)\)\))?/g)].map(
      ([, name = '', own]) => ({ name, file: own ?? file }),
    )
  })
}

/** Whether the file defines the function, and its class when it is a method. */
function defines(text: string, name: string): boolean {
  const [owner, method] = name.split('.')
  if (method === undefined) return new RegExp(`function ${owner}\\b`).test(text)
  return new RegExp(`class ${owner}\\b`).test(text) && new RegExp(`^  (?:async )?${method}[<(]`, 'm').test(text)
}

describe.each(journeys.map((journey) => [journey.split('\n')[0] ?? '', stepsOf(journey)] as const))(
  'the journey of %s',
  (_title, steps) => {
    test('has its steps', () => {
      expect(steps.length).toBeGreaterThanOrEqual(10)
    })

    test.each(steps)('passes $name, which is where the page says', ({ name, file }) => {
      expect(defines(readFileSync(join(docs, file), 'utf8'), name)).toBe(true)
    })
  },
)
