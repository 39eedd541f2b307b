/**
 * A relay of a Show Chain as a machine, for simulators and other runtimes. On Node:
 * `@showchain/server/runtime`.
 */
export * from './core/index.ts'
