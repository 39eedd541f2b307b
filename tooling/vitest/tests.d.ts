/** The tag of tests that take long: `pnpm test:long` runs them, everything else leaves them out. */
export declare const LONG: 'long'
/** An environment variable; set: a run has the long tests, and no others. */
export declare const LONG_VARIABLE: string
export declare const isLong: boolean

/** What files with long tests contain. */
export declare const LONG_FILES: RegExp
/** What files whose tests make random choices contain. */
export declare const RANDOM_FILES: RegExp
/** Test files of a package's folder that match, relative to it. */
export declare function testFiles(folder: string, pattern: RegExp): string[]

/** A test in a report. */
export interface Reported {
  readonly status: string
  readonly tags: readonly string[]
  readonly meta: { readonly missing?: string }
}
/**
 * What skipped tests are missing, and how many each. Those that the run leaves out by their tag are
 * none of them.
 */
export declare function skippedFor(tests: readonly Reported[], long: boolean): Map<string | undefined, number>
/** `skipped: no coturn (apt-get install coturn), 2 tests` */
export declare function showSkipped(entry: readonly [missing: string | undefined, count: number]): string
