/** Which worker gets a channel frame: the one whose session it names, where the kernel can tell. */
import type { SharedSockets, Steering } from '@showchain/client/runtime'
import { CHANNEL_BYTE } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import { FRAME_NODE_AT } from '@showchain/wire/fleet'
import type { Logger } from 'pino'

const FRAMES: Omit<Steering, 'first'> = { begins: CHANNEL_BYTE, length: CHANNEL_HEADER_BYTES, at: FRAME_NODE_AT }

/**
 * Steers frames to the workers on these sockets.
 *
 * @param first the first worker's number in the fleet
 * @returns whether it does: else a frame goes to the worker that its sender is registered at
 */
export function steered(own: Pick<SharedSockets, 'steer'>, first: number, log: Logger): boolean {
  const does = own.steer({ ...FRAMES, first })
  if (!does) log.warn('the kernel does not steer frames to the worker of their session: workers forward at a fifth')
  return does
}
