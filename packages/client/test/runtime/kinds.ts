/** Both kinds of sockets, and what a test of each needs. */
import { needs } from '@showchain-tooling/vitest/needs'
import type { TestOptions } from 'vitest'
import { loadLibc } from '../../src/runtime/batched/libc.ts'
import type { SocketKind } from '../../src/runtime/udp-options.ts'

const libc = loadLibc()
export const needsBatched: TestOptions = needs(
  typeof libc !== 'string',
  `no batched sockets on this system (${typeof libc === 'string' ? libc : ''})`,
)

export const KINDS: readonly (readonly [SocketKind, TestOptions])[] = [
  ['dgram', {}],
  ['batched', needsBatched],
]
