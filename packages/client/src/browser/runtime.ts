/** A browser as the system that a peer runs on: WebSocket, WebCrypto, and the portable ciphers. */
import { portableEndToEnd, webCrypto, webRandom } from '@showchain/crypto/web'
import { canonicalIp } from '@showchain/wire'
import { systemClock } from '../runtime/clock.ts'
import { noUdp } from '../runtime/no-udp.ts'
import { PagedRandom } from '../runtime/paged-random.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { standInFor } from '../runtime/stand-in.ts'
import { CryptoWorker } from '../runtime/worker.ts'
import { nextTurn } from './globals.ts'
import { BrowserCarrier } from './websocket.ts'

/** What a page and a worker have. */
export const browserRuntime: Runtime = {
  clock: systemClock,
  random: new PagedRandom(webRandom),
  provider: webCrypto,
  endToEnd: portableEndToEnd,
  worker: (identity, limits) => new CryptoWorker({ provider: webCrypto, identity, limits, nextTurn }),
  openSocket: async () => noUdp('pages have no UDP'),
  openExtraSocket: () => noUdp('pages have no UDP'),
  openWebSocket: (to, failed) => new BrowserCarrier(to, failed),
  resolve: async ({ host, port }) => [{ ip: canonicalIp(host) ?? standInFor(host, webCrypto), port }],
  localAddresses: () => [],
}
