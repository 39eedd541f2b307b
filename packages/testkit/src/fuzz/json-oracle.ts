/**
 * A second reader of flat JSON objects, slow and plain, that the fuzzer holds against our scanner:
 * it says how each member of the outer object is written.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g
const INTEGER = /^(?:0|[1-9][0-9]*)$/

/**
 * Name and first token of the value of each member, in order; a name that occurs twice is in it
 * twice.
 */
function membersOf(text: string): readonly (readonly [name: string, value: string])[] {
  const members: [string, string][] = []
  let depth = 0
  const tokens = text.match(TOKEN) ?? []
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':' && depth === 1)
      members.push([JSON.parse(tokens[index - 1] as string) as string, tokens[index + 1] as string])
  }
  return members
}

/**
 * Why a JSON text should not have been accepted as the message with these members, or undefined.
 */
export function whyNot(text: string, message: Readonly<Record<string, unknown>>): string | undefined {
  const members = membersOf(text)
  const names = members.map(([name]) => name)
  if (new Set(names).size !== names.length) return 'accepted a name twice'
  for (const [name, expected] of Object.entries(message)) {
    const written = members.find(([candidate]) => candidate === name)?.[1]
    if (written === undefined) return `made up ${name}`
    if (JSON.parse(written) !== expected) return `read ${name} as something else`
    if (typeof expected === 'number' && !INTEGER.test(written)) return `accepted ${written} as a number`
  }
  return undefined
}
