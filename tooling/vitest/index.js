// The vitest configuration every package shares: workspace packages are read from their sources
// (the `@showchain/source` export condition), and each run leaves a JSON report that `npm test` adds up.
import { defineConfig } from 'vitest/config'

// ours first, then vite's own for server code
const conditions = ['@showchain/source', 'module', 'node', 'development|production']

export function preset(test = {}) {
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['test/**/*.test.ts'],
      passWithNoTests: true,
      reporters: ['default', ['json', { outputFile: '.cache/report/vitest.json' }]],
      // turbo already runs one package per core
      maxWorkers: '50%',
      // properties and real processes on a busy machine: a limit only for what hangs
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...test,
    },
  })
}
