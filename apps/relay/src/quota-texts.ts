/** Quotas as the configuration has them: `idDay=5G`. */
import { checkedQuotas, type Quotas } from '@showchain/server'
import { quote } from '@showchain/wire'

/** Powers of ten, as those of a network's rates. */
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }

/** A number of bytes, with k, M, G or T behind it. */
export function parseSize(text: string): number {
  const [, number, unit] = /^([0-9]+(?:\.[0-9]+)?)([kMGT]?)$/.exec(text) ?? []
  const size = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (!Number.isFinite(size)) throw new Error(`${quote(text)} is not a size such as 500M, 20G or 1.5T`)
  return Math.round(size)
}

/** Names of allotments, and where each is. */
const PLACES: Readonly<Record<string, readonly [scope: 'id' | 'source' | 'total', span: 'day' | 'month']>> = {
  idDay: ['id', 'day'],
  idMonth: ['id', 'month'],
  sourceDay: ['source', 'day'],
  sourceMonth: ['source', 'month'],
  totalDay: ['total', 'day'],
  totalMonth: ['total', 'month'],
}

/** @param given `name=size` each, or `atCap=refuse`. @throws Error that names what is wrong */
export function quotasFrom(given: readonly string[]): Quotas {
  const quotas: Record<string, unknown> = {}
  for (const text of given) {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)=(\S+)\s*$/.exec(text) ?? []
    const place = PLACES[name]
    if (place !== undefined) quotas[place[0]] = { ...(quotas[place[0]] ?? {}), [place[1]]: parseSize(value) }
    else if (name === 'rate') quotas.bytesPerSecond = parseSize(value)
    else if (name === 'atCap') quotas.atCap = value
    else
      throw new Error(`${quote(text)} is none of ${[...Object.keys(PLACES), 'rate', 'atCap'].join(', ')} with =value`)
  }
  return checkedQuotas(quotas as Quotas)
}
