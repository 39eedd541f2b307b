/** Figures as people read them. */

const UNITS = ['', 'k', 'M', 'G', 'T'] as const
const STEP = 1000

/** Three digits and a unit: `1.25 MB`. */
export function scaled(value: number, unit: string): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3))
  const digits = power === 0 ? Math.round(value).toString() : (value / STEP ** power).toPrecision(3)
  return `${digits} ${UNITS[power]}${unit}`
}

export const count = (value: number): string => value.toLocaleString('en')

/** The two largest units: `2 d 3 h`. */
export function span(seconds: number): string {
  const parts = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const
  let left = Math.round(seconds)
  const words: string[] = []
  for (const [length, name] of parts) {
    const whole = Math.floor(left / length)
    left -= whole * length
    if (whole > 0 || words.length > 0) words.push(`${whole} ${name}`)
  }
  return words.slice(0, 2).join(' ') || '0 s'
}
