import type { Arbitrary } from 'fast-check'

/** Gives anything: what fast-check knows, and objects of which every question throws. */
export declare const foreign: Arbitrary<() => unknown>

/** For `fc.assert` of a property of `foreign` alone: each of the hostile values at least once. */
export declare const withHostile: { readonly examples: [() => unknown][] }

/** The object, of which one member throws when it is read. */
export declare function unreadable(object: object, name: string): object
