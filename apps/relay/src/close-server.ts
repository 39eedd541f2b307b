/** Ends an HTTP server with the connections that it has. */
import type { Server } from 'node:http'

export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
