/** `pnpm docs:write`: brings the generated blocks of docs/*.md up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { regenerate } from './blocks.ts'
import { docs } from './files.ts'

for (const path of docs()) {
  const before = readFileSync(path, 'utf8')
  const after = regenerate(before)
  if (after === before) continue
  writeFileSync(path, after)
  console.log(`rewrote ${path}`)
}
