/** A path in fewer columns of a terminal: the folders go first, then the middle of the name. */
import stringWidth from 'string-width'

const ELLIPSIS = '…'
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Columns that a terminal needs: East Asian characters and emoji have two. */
export const widthOf = (text: string): number => stringWidth(text)

/** @returns a path of at most so many columns; the end of a name tells more of it than its middle */
export function shortened(path: string, columns: number): string {
  if (widthOf(path) <= columns) return path
  if (columns < 1) return ''
  const name = path.slice(path.lastIndexOf('/') + 1)
  const alone = `${ELLIPSIS}/${name}`
  if (name !== path && widthOf(alone) <= columns) return alone
  const characters = Array.from(segmenter.segment(name), ({ segment }) => segment)
  const half = Math.floor((columns - 1) / 2)
  const end = fitting(characters.toReversed(), half).toReversed().join('')
  const begin = fitting(characters, columns - 1 - widthOf(end)).join('')
  return `${begin}${ELLIPSIS}${end}`
}

/** The first characters, as far as they fit. */
function fitting(characters: readonly string[], columns: number): readonly string[] {
  let left = columns
  const end = characters.findIndex((character) => {
    left -= widthOf(character)
    return left < 0
  })
  return end < 0 ? characters : characters.slice(0, end)
}
