import { describe, expect, test } from 'vitest'
import { circles, foreignEntries, importGraph, importsOf, upwardImports } from '../graph.mjs'
import { findings } from '../main.mjs'

const graphOf = (sources: Record<string, string>): Map<string, { specifier: string; target: string | undefined }[]> =>
  importGraph(new Map(Object.entries(sources)), new Map([['@showchain/wire', 'wire/index.ts']]))

describe('this repository', () => {
  const found = findings()

  test('has no import circle, types included', () => {
    expect(found.circles).toEqual([])
  })

  test('has no source file over 300 lines', () => {
    expect(found.long).toEqual([])
  })

  test('imports no chapter from a lower one, and of other packages only the entries that are meant', () => {
    expect(found.upward).toEqual([])
  })

  test('has no exception from the rules about imports', () => {
    expect(found.suppressions).toEqual([])
  })
})

describe('the reader of imports', () => {
  test('sees values, types, re-exports, side effects and dynamic imports, also over several lines', () => {
    const text = `import { a } from './a.ts'\nimport type { B } from './b.ts'\nimport {\n  c,\n  type D,\n} from './c.ts'
export * from './d.ts'\nexport { e } from './e.ts'\nimport './f.ts'\nconst g = await import('./g.ts')\n`
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts'])
  })

  test('finds a circle that only types close, and one over two packages', () => {
    const graph = graphOf({
      'core/a.ts': `import type { B } from './b.ts'`,
      'core/b.ts': `import { a } from './a.ts'`,
      'core/c.ts': `import { a } from './a.ts'`,
      'wire/index.ts': `import type { X } from '../x/x.ts'`,
      'x/x.ts': `import { wire } from '@showchain/wire'`,
    })
    expect(circles(graph).map((group: string[]) => group.sort())).toEqual([
      ['core/a.ts', 'core/b.ts'],
      ['wire/index.ts', 'x/x.ts'],
    ])
  })

  test('finds an import of a higher chapter and of a chapter on the same line, not of a lower one', () => {
    const graph = graphOf({
      'core/low/a.ts': `import type { B } from '../high/b.ts'`,
      'core/high/b.ts': `import { own } from './own.ts'\nimport { x } from '../same/x.ts'`,
      'core/same/x.ts': `import { a } from '../low/a.ts'`,
    })
    expect(upwardImports(graph, { core: [['low'], ['high', 'same']] })).toEqual([
      'core/low/a.ts → core/high/b.ts',
      'core/high/b.ts → core/same/x.ts',
    ])
  })

  test('finds an entry point that a folder may not import', () => {
    const graph = graphOf({
      'server/a.ts': `import { x } from '@showchain/wire'\nimport { y } from '@showchain/wire/y'`,
    })
    expect(foreignEntries(graph, { server: { '@showchain/wire': ['@showchain/wire/y'] } })).toEqual([
      'server/a.ts → @showchain/wire',
    ])
  })
})
