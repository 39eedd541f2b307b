/** One text for all installed packages that these files come from, by name. */
export declare function licencesOf(files: readonly string[]): string
