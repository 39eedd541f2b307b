/** Compiles and runs a README's TypeScript in a user's project. */
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { node } from './shell.ts'

const require = createRequire(import.meta.url)
const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`))

/** Compilers that must take our declarations: ours, and the oldest that we promise. */
export const COMPILERS = { current: 'typescript', floor: 'typescript-floor' } as const

const RUN_TIME = 60_000 // ms

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    outDir: 'out',
    rootDir: '.',
    types: ['node'],
    typeRoots: [join(packageFolder('@types/node'), '..')],
  },
  files: ['example.ts'],
}

/** @throws Error with what the compiler says */
export async function compile(source: string, folder: string, compiler: keyof typeof COMPILERS): Promise<void> {
  await writeFile(join(folder, 'example.ts'), source)
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  const tsc = join(packageFolder(COMPILERS[compiler]), 'bin', 'tsc')
  await node([tsc, '-p', folder], { cwd: folder })
}

/** @throws Error when it fails, or writes to stderr */
export async function compileAndRun(source: string, folder: string): Promise<void> {
  await compile(source, folder, 'current')
  const { stderr } = await node(['out/example.js'], { cwd: folder, timeout: RUN_TIME })
  if (stderr !== '') throw new Error(stderr)
}
