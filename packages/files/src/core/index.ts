/** The transfer of files as state machines: no clock, no files, no Node.js. */

export { FrameReader } from './frame-reader.ts'
export {
  describedBytes,
  type Entry,
  encode,
  FIRST_BYTE,
  FRAME,
  type Frame,
  frameHeader,
  KIND,
  type Kind,
  type Offer,
  STOP,
  type StopReason,
  type Want,
} from './frames.ts'
export type { Hash, NewHash } from './hash.ts'
export * from './limits.ts'
export { keyOf, linkFault, namesOf, pathFault, STAGING_NAME, shownPath } from './names.ts'
export { type ReceiverEvent, ReceiverMachine } from './receiver-machine.ts'
export { offerOf, type SenderEvent, SenderMachine } from './sender-machine.ts'
