/** Ids as people read them: enough to tell peers of one relay apart, and to find them in its log. */
import type { PeerId } from '@showchain/wire'

/** 48 bits: two of a million peers share them with a chance of 1 in 500. */
const SHORT_LENGTH = 8

export const shortId = (id: PeerId): string => id.slice(0, SHORT_LENGTH)
