/** Our own implementation of every operation. */
import { endToEndImplementation } from './end-to-end.ts'
import { messageImplementation } from './messages.ts'
import type { Implementing, Operations } from './operations.ts'

/** All operations by `@showchain/wire` and `@showchain/crypto`. */
export const ownImplementation: Implementing<Operations> = { ...messageImplementation, ...endToEndImplementation }
