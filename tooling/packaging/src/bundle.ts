/** How much of a web page's download an entry point is. */
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/**
 * Most kilobytes (1,000 bytes) of an entry point with everything it imports, minified and gzipped.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  '@showchain/wire': 25,
  '@showchain/wire/end-to-end': 12,
  '@showchain/crypto/portable': 120,
  '@showchain/crypto/web': 38,
  '@showchain/client/browser': 130,
}

/**
 * Kilobytes of an entry point's browser bundle, minified and gzipped.
 * @param folder where it is installed
 */
export async function bundledSize(entryPoint: string, folder: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(entryPoint)}`, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents).length, 0) / 1000
}
