export function findings(): {
  circles: string[][]
  long: string[]
  upward: string[]
  suppressions: string[]
  files: number
}
