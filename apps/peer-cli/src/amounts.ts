/** Bytes, files and times as people read them. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const
const MINUTE = 60
/** Hours that are still told as such. */
const TWO_DAYS = 48

/** Powers of 1,000, three digits. */
export function shownBytes(count: number): string {
  let [value, unit] = [count, 0]
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${count === 1 ? 'byte' : UNITS[unit]}`
}

export const shownCount = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

export function shownTime(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < MINUTE) return `${whole} s`
  const minutes = Math.floor(whole / MINUTE)
  if (minutes < MINUTE) return `${minutes} min ${whole % MINUTE} s`
  const hours = Math.floor(minutes / MINUTE)
  return hours < TWO_DAYS ? `${hours} h ${minutes % MINUTE} min` : `${Math.floor(hours / 24)} days`
}
