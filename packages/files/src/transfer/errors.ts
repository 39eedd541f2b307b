/** Why a transfer ends before its end, here and for the other end. */
import { type ErrorCode, printable, ShowchainError } from '@showchain/wire'
import type { StopReason } from '../core/index.ts'

const CODES = {
  declined: 'ERR_TRANSFER_DECLINED',
  refused: 'ERR_TRANSFER_REFUSED',
  failed: 'ERR_TRANSFER_STOPPED',
} as const satisfies Record<StopReason, ErrorCode>

/** An end stops by itself, and says why. */
export class TransferError extends ShowchainError {
  readonly reason: StopReason
  /** What the other end is told: nothing of this end's folders. */
  readonly said: string

  constructor(reason: StopReason, detail: string, said: string = detail, options?: { readonly cause?: unknown }) {
    super(CODES[reason], detail, options)
    this.reason = reason
    this.said = said
  }
}

/** A name of the offer is taken in the folder that receives, and `force` is not set. */
export class NameTakenError extends TransferError {
  /** As it is shown. */
  readonly taken: string

  constructor(taken: string) {
    super('declined', `${taken} is already there: choose another folder, or set force.`, `${taken} is already there.`)
    this.taken = taken
  }
}

/** The other end stopped. */
export const stoppedBy = ({ reason, text }: { readonly reason: StopReason; readonly text: string }): ShowchainError =>
  new ShowchainError(CODES[reason], `The other end says: ${printable(text)}`)
