/** The command lines of a README's shell blocks. */
import { codeBlocks } from './markdown.ts'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
}

const WORD = /'([^']*)'|"([^"]*)"|\\\n|#.*|\n|[^\s'"\\]+/g

/**
 * In order, without comments; `&&` and the end of a line end a command. Quotes are the only shell
 * syntax otherwise.
 */
export function commandsOf(markdown: string): readonly Command[] {
  const commands: Command[] = []
  for (const block of codeBlocks(markdown, 'sh')) {
    let words: string[] = []
    const end = (): void => {
      const [program, ...args] = words
      if (program !== undefined) commands.push({ program, args })
      words = []
    }
    for (const [word, single, double] of block.matchAll(WORD)) {
      if (word === '\n' || word === '&&') end()
      else if (word !== '\\\n' && !word.startsWith('#')) words.push(single ?? double ?? word)
    }
    end()
  }
  return commands
}
