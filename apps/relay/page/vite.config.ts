/** The status page: static files in dist/page, which the relay serves itself. Nothing of it is inline. */
import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { licencesOf } from '@showchain-tooling/bundle/licences'
import { defineConfig, type Plugin } from 'vite'

const NOTICES = fileURLToPath(new URL('../dist/third-party.txt', import.meta.url))

/** The licences of what is in the page go where those of the program are. */
const notices: Plugin = {
  name: 'third-party-notices',
  apply: 'build',
  generateBundle() {
    appendFileSync(NOTICES, `\n${licencesOf([...this.getModuleIds()].map((id) => id.split('?')[0] ?? id))}`)
  },
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [notices],
  build: {
    outDir: fileURLToPath(new URL('../dist/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
})
