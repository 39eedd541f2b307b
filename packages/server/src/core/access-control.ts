/** Everything that decides who may use a relay, and how much: there is none unless it is asked for. */
import type { Instant } from '@showchain/client/endpoint'
import { AccessGate } from './access-gate.ts'
import type { Bindings } from './bindings.ts'
import { Meter } from './meter.ts'
import { checkedQuotas } from './quotas.ts'
import type { RelayContext } from './relay-context.ts'
import type { RelayOptions } from './relay-options.ts'
import { Toll } from './toll.ts'

export class AccessControl {
  readonly gate: AccessGate
  /** Undefined: there are no quotas. */
  readonly meter: Meter | undefined
  readonly toll: Toll | undefined
  readonly #context: RelayContext

  private constructor(context: RelayContext, bindings: Bindings, asks: boolean, meter: Meter | undefined) {
    this.#context = context
    this.meter = meter
    this.toll = meter && new Toll(context, bindings, meter)
    this.gate = new AccessGate(context, { bindings, meter, asks })
  }

  /** Undefined: everyone may use the relay, as much as they want. */
  static of(
    context: RelayContext,
    bindings: Bindings,
    { asks = false, quotas, total, unixMs }: Pick<RelayOptions, 'asks' | 'quotas' | 'total' | 'unixMs'>,
  ): AccessControl | undefined {
    if (!asks && quotas === undefined) return undefined
    const meter = quotas && new Meter({ quotas: checkedQuotas(quotas), unixMs, total })
    return new AccessControl(context, bindings, asks, meter)
  }

  get isIdle(): boolean {
    return this.gate.size + (this.toll?.size ?? 0) === 0 && this.meter?.isIdle !== false
  }

  expire(now: Instant): void {
    this.gate.expire(now)
    this.toll?.expire(now)
    this.keepUsage()
  }

  /** What was used since the last time is told, to be kept. */
  keepUsage(): void {
    const usage = this.meter?.changes() ?? []
    if (usage.length > 0) this.#context.outbox.event({ type: 'used', usage })
  }
}
