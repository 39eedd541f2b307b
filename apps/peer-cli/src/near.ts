/** Which of the names that there are somebody may have meant. */

/** Letters that may be wrong, and the share of the word that has to be right. */
const MAX_WRONG = 3
const LEAST_RIGHT = 0.5

/** ` (did you mean bob or rob?)`; empty where nothing is near. */
export function didYouMean(word: string, names: readonly string[]): string {
  const near = nearest(word, names)
  return near.length === 0 ? '' : ` (did you mean ${near.join(' or ')}?)`
}

function nearest(word: string, names: readonly string[]): readonly string[] {
  const measured = names.map((name) => ({ name, wrong: distance(word.toLowerCase(), name.toLowerCase()) }))
  const near = measured.filter(
    ({ name, wrong }) => wrong <= MAX_WRONG && wrong <= (1 - LEAST_RIGHT) * Math.max(word.length, name.length),
  )
  const least = Math.min(...near.map(({ wrong }) => wrong))
  return near.filter(({ wrong }) => wrong === least).map(({ name }) => name)
}

/** Optimal string alignment: letters left out, added, replaced, or two in the wrong order. */
function distance(a: string, b: string): number {
  // Names are short: what a longer text is meant by is no name.
  if (Math.abs(a.length - b.length) > MAX_WRONG) return Number.POSITIVE_INFINITY
  let [before, last] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)] as [number[], number[]]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + same,
        swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, row]
  }
  return at(last, b.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY
