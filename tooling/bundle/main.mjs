#!/usr/bin/env node
// `bundle-program`, in the folder of a program: src/main.ts with everything it imports becomes dist/main.js. Node
// then reads a few files at the start and not some three hundred. What is imported dynamically is in files beside it,
// and read when it is used.
import { rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { licencesOf } from './licences.mjs'

/** Native code stays an optional package beside the program. */
const NATIVE = ['classic-level', 'koffi', 'sodium-native']
/** What is CommonJS asks for Node's own modules by `require`. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url)"

rmSync('dist', { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  splitting: true,
  chunkNames: '[name]-[hash]',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: REQUIRE },
  external: NATIVE,
  // readable as it is: stacks name the functions, comments the files
  minify: false,
  logLevel: 'warning',
  metafile: true,
})
const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0),
)
writeFileSync('dist/third-party.txt', licencesOf(used))
