/** Has a TCP server listen. */
import type { Server } from 'node:net'
import type { ListenAddress } from '@showchain/client/runtime'
import { ShowchainError } from '@showchain/wire'

/**
 * What goes wrong with it afterwards is about one connection, and ends nothing.
 * @param what is named in an error
 * @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`
 */
export async function listenAt(server: Server, { host, port }: ListenAddress, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const code = cause.code === 'EADDRINUSE' ? 'ERR_ADDRESS_IN_USE' : 'ERR_CANNOT_LISTEN'
      reject(new ShowchainError(code, `${what}: ${cause.message}.`, { cause }))
    }
    server.once('error', failed)
    server.listen({ host, port }, () => {
      server.off('error', failed)
      server.on('error', () => {})
      resolve()
    })
  })
}
