/** Where the value of an option is from, so that an error names what somebody has to change. */
import { ShowchainError } from '@showchain/wire'

export interface Sourced {
  /** By option: a variable of the environment, or a file and its key. Others are of flags. */
  readonly from?: Readonly<Record<string, string>>
}

/** What an error calls an option. @param option in camel case */
export const nameOf = ({ from }: Sourced, option: string): string =>
  from?.[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** What a package says of a value, with the name of the option. @throws ShowchainError */
export async function naming<T>(flags: Sourced, option: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw named(flags, option, error)
  }
}

export function named(flags: Sourced, option: string, error: unknown): unknown {
  if (!(error instanceof ShowchainError)) return error
  const { code, detail = '' } = error
  return new ShowchainError(code, `${nameOf(flags, option)}: ${detail}`, { cause: error.cause })
}
