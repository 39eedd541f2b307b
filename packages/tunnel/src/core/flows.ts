/**
 * Flows of datagrams, as a NAT has mappings (RFC 4787): a flow is one local address at the end that
 * forwards, and one socket at the end that serves. Each table has a cap, and forgets what was idle.
 */
import { ExpiringMap, type Instant } from '@showchain/client/endpoint'
import { FLOW_IDLE, MAX_FLOW, MAX_FLOWS } from './limits.ts'

class FlowTable<Key, Flow> {
  readonly #flows = new Map<Key, Flow>()
  readonly #idle: ExpiringMap<Key, Flow>

  constructor(ended: (flow: Flow) => void) {
    this.#idle = new ExpiringMap<Key, Flow>({
      lifetime: FLOW_IDLE,
      capacity: MAX_FLOWS,
      onEnd: (key, flow) => {
        this.#flows.delete(key)
        ended(flow)
      },
    })
  }

  get size(): number {
    return this.#flows.size
  }
  get all(): readonly Flow[] {
    return [...this.#flows.values()]
  }
  /** When `expire` has something to look at. */
  get deadline(): Instant | undefined {
    return this.#idle.deadline
  }

  /** It is in use, so its time begins again. */
  find(key: Key, now: Instant): Flow | undefined {
    this.expire(now)
    const flow = this.#flows.get(key)
    if (flow !== undefined) this.#idle.touch(key, now)
    return flow
  }

  add(key: Key, flow: Flow, now: Instant): Flow {
    this.#idle.set(key, flow, now)
    this.#flows.set(key, flow)
    return flow
  }

  expire(now: Instant): void {
    this.#idle.expire(now)
  }
}

/** At the end that forwards: local addresses and the ids that it gave them. */
export class ForwardedFlows {
  readonly #ids: FlowTable<string, number>
  readonly #sources = new Map<number, string>()
  #next = 0

  constructor() {
    this.#ids = new FlowTable<string, number>((id) => this.#sources.delete(id))
  }

  get size(): number {
    return this.#sources.size
  }

  /** A datagram came from a local address: its flow, a new one where there is none. */
  from(source: string, now: Instant): number {
    const known = this.#ids.find(source, now)
    if (known !== undefined) return known
    // No two flows that are there together have one id: there are far more ids than flows.
    const id = this.#next
    this.#next = id === MAX_FLOW ? 0 : id + 1
    this.#sources.set(id, source)
    return this.#ids.add(source, id, now)
  }

  /** Where an answer goes; undefined when the flow is not there any more. */
  to(id: number, now: Instant): string | undefined {
    const source = this.#sources.get(id)
    return source !== undefined && this.#ids.find(source, now) === id ? source : undefined
  }
}

/** At the end that serves: ids, and the socket that each flow has there. */
export class ServedFlows<Socket extends { close(): void }> {
  readonly #sockets = new FlowTable<number, Socket>((socket) => socket.close())

  get size(): number {
    return this.#sockets.size
  }

  /** When `expire` has something to close. */
  get deadline(): Instant | undefined {
    return this.#sockets.deadline
  }

  /** A datagram came of the flow: its socket, a new one where there is none. */
  of(id: number, open: () => Socket, now: Instant): Socket {
    return this.#sockets.find(id, now) ?? this.#sockets.add(id, open(), now)
  }

  /** Its target sent something. */
  touch(id: number, now: Instant): void {
    this.#sockets.find(id, now)
  }

  expire(now: Instant): void {
    this.#sockets.expire(now)
  }

  close(): void {
    for (const socket of this.#sockets.all) socket.close()
  }
}
