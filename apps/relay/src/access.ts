/** Who may use the relay, by its configuration. */
import type { Applicant, RelayOpenOptions } from '@showchain/server/runtime'
import type { PeerId } from '@showchain/wire'
import type { Config } from './config.ts'

/** How long the service at `accessUrl` has for an answer, in ms. */
const ANSWER_TIME = 5000
/** Questions to it at a time. */
const AT_ONCE = 64

/** The answer of a service over HTTP: 2xx is yes, 401, 403 and 404 are no, and everything else is none. */
class AccessService {
  readonly #url: URL
  #open = 0

  constructor(url: URL) {
    this.#url = url
  }

  async ask({ id, at }: Applicant): Promise<boolean> {
    if (this.#open >= AT_ONCE) throw new Error('too many questions at once')
    this.#open++
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, source: at.ip, port: at.port }),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_TIME),
      })
      // What it says beside is not read.
      await response.body?.cancel()
      if (response.ok) return true
      if ([401, 403, 404].includes(response.status)) return false
      throw new Error(`status ${response.status}`)
    } finally {
      this.#open--
    }
  }
}

/** Who may use it, as a relay is opened with it. */
type Access = Pick<RelayOpenOptions, 'access' | 'permits'>

/** @param own peers of this process, which always may */
export function accessOf({ access, allow, accessUrl }: Config, own: readonly PeerId[]): Access {
  if (access === 'everyone') return {}
  const allowed: ReadonlySet<string> = new Set([...allow, ...own])
  if (access !== 'http') return { access: ({ id }) => allowed.has(id), permits: access === 'token' }
  if (accessUrl === undefined) throw new Error('checked with the configuration')
  const service = new AccessService(accessUrl)
  return { access: (applicant) => allowed.has(applicant.id) || service.ask(applicant) }
}
