/**
 * Writes the vector files: `node dist/vectors/main.js`. A changed byte is a change of the protocol.
 */
import { writeFileSync } from 'node:fs'
import { VECTOR_FOLDER } from './files.ts'
import { generateVectors } from './generate.ts'

for (const [name, text] of generateVectors()) writeFileSync(new URL(name, VECTOR_FOLDER), text)
