// The vitest configuration every package shares: workspace packages are read from their sources
// (the `@showchain/source` export condition), and each run leaves a JSON report that `npm test` adds up.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { runs } from './random.js'
import { SkipReporter } from './skip-reporter.js'
import { isLong, LONG, LONG_FILES, testFiles } from './tests.js'

// ours first, then vite's own for server code
const conditions = ['@showchain/source', 'module', 'node', 'development|production']

export function preset(test = {}) {
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: isLong ? testFiles('.', LONG_FILES) : ['test/**/*.test.ts'],
      setupFiles: [fileURLToPath(import.meta.resolve('./setup.js'))],
      passWithNoTests: true,
      tags: [{ name: LONG, description: 'takes long: left to `pnpm test:long`', timeout: 0 }],
      tagsFilter: [isLong ? LONG : `!${LONG}`],
      reporters: ['default', new SkipReporter(), ['json', { outputFile: '.cache/report/vitest.json' }]],
      // modules are read once, not once a file: half of the time of most packages
      isolate: false,
      // turbo already runs one package per core
      maxWorkers: '50%',
      // properties and real processes on a busy machine: a limit only for what hangs
      testTimeout: runs(60_000),
      hookTimeout: 60_000,
      ...test,
    },
  })
}
