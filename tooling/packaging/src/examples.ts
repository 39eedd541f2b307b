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
}

const nameOf = (index: number): string => `example-${index + 1}`

/**
 * Compiles sources, each a module of its own, in one run of the compiler: most of that is reading declarations.
 * @throws Error with what the compiler says
 */
export async function compile(
  sources: readonly string[],
  folder: string,
  compiler: keyof typeof COMPILERS,
): Promise<void> {
  const files = sources.map((_, index) => `${nameOf(index)}.ts`)
  await Promise.all(files.map((file, index) => writeFile(join(folder, file), sources[index] as string)))
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...TSCONFIG, files }))
  const tsc = join(packageFolder(COMPILERS[compiler]), 'bin', 'tsc')
  await node([tsc, '-p', folder], { cwd: folder })
}

/** @throws Error when one fails, or writes to stderr */
export async function compileAndRun(sources: readonly string[], folder: string): Promise<void> {
  await compile(sources, folder, 'current')
  for (const index of sources.keys()) {
    const { stderr } = await node([`out/${nameOf(index)}.js`], { cwd: folder, timeout: RUN_TIME })
    if (stderr !== '') throw new Error(stderr)
  }
}
