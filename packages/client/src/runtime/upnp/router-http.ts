/** One exchange of HTTP with a router: bounded in time and bytes, and no redirects. */
import { request } from 'node:http'
import { UnusableRouter } from './router-url.ts'

/** Bytes of an answer, and of its header. */
export const MAX_ROUTER_ANSWER = 65_536
const MAX_HEADER = 8192
/** Milliseconds for one exchange. */
export const ROUTER_TIME = 3000

export interface RouterExchange {
  /** Address of this host that the router is asked from. */
  readonly local: string
  /** Milliseconds for it. */
  readonly time: number
  /** @default GET */
  readonly post?: { readonly headers: Readonly<Record<string, string>>; readonly body: string }
}

export interface RouterAnswer {
  readonly status: number
  readonly text: string
}

/** @throws UnusableRouter whatever is wrong with the answer */
export function askRouter(url: URL, { local, time, post }: RouterExchange, signal: AbortSignal): Promise<RouterAnswer> {
  const late = AbortSignal.timeout(time)
  return new Promise((resolve, reject) => {
    const unusable = (what: string): void => reject(new UnusableRouter(what))
    const failed = (error: NodeJS.ErrnoException): void =>
      unusable(late.aborted ? `it takes longer than ${time / 1000} s` : `HTTP fails (${error.code ?? error.name})`)
    const outgoing = request({
      ...{ host: url.hostname, port: url.port || 80, path: url.pathname + url.search, localAddress: local },
      // No agent: it may have been told of a proxy.
      ...{ agent: false, maxHeaderSize: MAX_HEADER, signal: AbortSignal.any([signal, late]) },
      method: post === undefined ? 'GET' : 'POST',
      headers: { ...post?.headers, Connection: 'close' },
    })
    outgoing.on('error', failed)
    outgoing.on('close', () => unusable('HTTP ends without an answer'))
    outgoing.on('response', (answer) => {
      const parts: Buffer[] = []
      let length = 0
      answer.on('error', failed)
      answer.on('data', (part: Buffer) => {
        length += part.length
        if (length <= MAX_ROUTER_ANSWER) return void parts.push(part)
        unusable(`it is longer than ${MAX_ROUTER_ANSWER / 1024} KiB`)
        outgoing.destroy()
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    outgoing.end(post?.body)
  })
}
