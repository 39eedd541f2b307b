/** The value of a named constant of a package, read from its sources. */
import { runInNewContext } from 'node:vm'
import { sources, type Text } from './texts.ts'

/** Packages whose constants the others use. */
const SHARED = ['wire', 'crypto', 'client']

let all: readonly Text[] | undefined

/** What stands behind `const NAME =` in a package, each time that it does. */
function definitions(name: string, owner: string): readonly string[] {
  all ??= sources()
  const definition = new RegExp(
    `^(?:export )?const ${name}(?::[^=\\n]+)? =\\s*([^\\n]+(?:\\n[ \\t\\])}][^\\n]*)*)`,
    'gm',
  )
  return all
    .filter((file) => file.name.startsWith(`packages/${owner}/src/`))
    .flatMap(({ text }) => [...text.matchAll(definition)].map((match) => match[1] as string))
}

/**
 * @param path `client/KEEP_ALIVE_INTERVAL`: in packages/client
 * @returns a number, or what the constant is made of: a list, an object
 * @throws Error when the package does not define it exactly once
 */
export function constant(path: string): unknown {
  const [owner = '', name = ''] = path.split('/')
  const found = definitions(name, owner)
  if (found.length !== 1) throw new Error(`packages/${owner} defines ${name} ${found.length} times`)
  const expression = (found[0] as string).replaceAll(/\b[A-Z][A-Z_\d]+\b/g, (other) =>
    JSON.stringify(constant(`${ownerOf(other, owner)}/${other}`)),
  )
  return runInNewContext(`(${expression})`, { duration: (ms: number) => ms })
}

function ownerOf(name: string, near: string): string {
  const owner = [near, ...SHARED].find((each) => definitions(name, each).length > 0)
  if (owner === undefined) throw new Error(`No package defines ${name}`)
  return owner
}
