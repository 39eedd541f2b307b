/** Runs the quick tests of the package in the working directory once more, in a process of its own. */
export declare function testAgain(
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }>
