/** Files and folders over a connection: `sendFiles`, `receiveFiles`, and their places on this computer. */
export type { Entry, Offer } from './core/index.ts'
export { MAX_FRAME as MAX_TEXT_BYTES, shownPath } from './core/index.ts'
export { FileSource, type LeftOut } from './node/file-source.ts'
export { FolderTarget, type FolderTargetOptions } from './node/folder-target.ts'
export { NameTakenError, TransferError } from './transfer/errors.ts'
export type {
  ByteStream,
  Found,
  Part,
  Source,
  SourceFile,
  Target,
  TargetFile,
  TransferOptions,
  TransferProgress,
} from './transfer/ports.ts'
export { type Received, type ReceiveOptions, receiveFiles } from './transfer/receive.ts'
export { type SendOptions, sendFiles, sendText } from './transfer/send.ts'
