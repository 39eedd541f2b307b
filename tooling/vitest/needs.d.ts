import type { TestOptions } from 'vitest'

/**
 * Options of tests that need something that a machine may not have. They are skipped without it,
 * and the report of the run says in one line what is missing and how to get it.
 */
export declare function needs(there: boolean, missing: string): TestOptions

/** @param debianPackage what provides the tool. @default the tool's name */
export declare function needsTool(tool: string, debianPackage?: string): TestOptions

/** For tests on `::1`. */
export declare const needsIpv6: TestOptions
