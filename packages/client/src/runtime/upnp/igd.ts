/**
 * Has a router map a port by UPnP IGD: finds its description, in that its control, and asks there.
 *
 *   SSDP ──► description ──► GetExternalIPAddress ──► AddPortMapping … DeletePortMapping
 *
 * The router is the gateway of the default route. Whatever is said by others, or leads elsewhere, is not
 * followed.
 */
import { canonicalIp, ipFamily } from '@showchain/wire'
import type { UpnpAnswer } from '../../core/nat/mapping-exchange.ts'
import type { MappingRequest } from '../../core/nat/mapping-messages.ts'
import { nodeRandom } from '../random.ts'
import { askRouter, ROUTER_TIME } from './router-http.ts'
import { routerUrl, UnusableRouter } from './router-url.ts'
import { checkXml, contentsOf, textOf } from './router-xml.ts'
import { findDescription, SEARCH_TIME, SSDP_PORT } from './ssdp.ts'
import type { UpnpPort } from './upnp-port.ts'

/** Services with the actions that are used (WANIPConnection:2 §2.5, WANPPPConnection:1 §2.4). */
const IGD_SERVICES = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'].map(
  (name) => `urn:schemas-upnp-org:service:${name}`,
)
/** WANIPConnection:1 §2.4.16: the port is another host's; only mappings that do not expire. */
const CONFLICT = 718
const PERMANENT_ONLY = 725
/** External ports that are tried. */
const MAX_PORTS = 3
/** What is chosen from when a port is in use. */
const FIRST_EXTERNAL_PORT = 1024
const EXTERNAL_PORTS = 64_512
/** Milliseconds for all of a mapping, the search included. */
const MAP_TIME = 8000

/** Where a router is controlled. */
interface Control {
  readonly gateway: string
  readonly local: string
  readonly url: URL
  readonly service: string
}

type Arguments = Readonly<Record<string, string | number>>

/** What only tests have otherwise. */
export interface IgdOptions {
  /** Of SSDP. */
  readonly port?: number
  /** Milliseconds for the search. */
  readonly searchTime?: number
  /** Milliseconds for an exchange of HTTP. */
  readonly time?: number
  /** Milliseconds for all of a mapping. */
  readonly mapTime?: number
}

export class Igd implements UpnpPort {
  readonly #how: Required<IgdOptions>
  #control: Control | undefined
  /** What may be mapped, and where. */
  #opened: { readonly control: Control; readonly port: number } | undefined

  constructor({ port = SSDP_PORT, searchTime = SEARCH_TIME, time = ROUTER_TIME, mapTime = MAP_TIME }: IgdOptions = {}) {
    this.#how = { port, searchTime, time, mapTime }
  }

  async map(gateway: string, request: MappingRequest, signal: AbortSignal): Promise<UpnpAnswer> {
    const { mapTime } = this.#how
    const late = AbortSignal.timeout(mapTime)
    const bounded = AbortSignal.any([signal, late])
    try {
      const control = await this.#controlOf(gateway, request.local, bounded)
      if (control === undefined) return { type: 'silent' }
      const got = await this.#call(control, 'GetExternalIPAddress', {}, bounded)
      if (typeof got === 'number') return { type: 'refused', code: got }
      const ip = canonicalIp(textOf(got, 'NewExternalIPAddress') ?? '')
      if (ip === undefined || ipFamily(ip) === 6) throw new UnusableRouter('it names no outside address')
      const port = await this.#add(control, request, bounded)
      return typeof port === 'object'
        ? { type: 'refused', code: port.code }
        : { type: 'granted', external: { ip, port }, lifetime: request.lifetime }
    } catch (error) {
      // What is known of it may have changed.
      this.#control = undefined
      if (late.aborted) return { type: 'unusable', why: `all of it takes longer than ${mapTime / 1000} s` }
      return { type: 'unusable', why: error instanceof UnusableRouter ? error.message : 'UPnP fails on this host' }
    }
  }

  async remove(signal: AbortSignal): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    await this.#delete(opened.control, opened.port, signal).catch(() => {})
    if (this.#opened === opened) this.#opened = undefined
  }

  async #controlOf(gateway: string, local: string, signal: AbortSignal): Promise<Control | undefined> {
    const known = this.#control
    if (known?.gateway === gateway && known.local === local) return known
    const { port, searchTime, time } = this.#how
    const url = await findDescription({ gateway, local, port, time: searchTime }, signal)
    if (url === undefined) return undefined
    const { status, text } = await askRouter(url, { local, time }, signal)
    if (status !== 200) throw new UnusableRouter(`HTTP answers ${status}`)
    this.#control = { gateway, local, ...controlIn(checkXml(text), gateway, url) }
    return this.#control
  }

  /** @returns the external port, or why there is none */
  async #add(control: Control, request: MappingRequest, signal: AbortSignal): Promise<number | { code: number }> {
    const { local, internalPort, suggested } = request
    const before = this.#opened
    let [port, lifetime, code] = [suggested.port === 0 ? internalPort : suggested.port, request.lifetime, 0]
    for (let tried = 0; tried < MAX_PORTS; ) {
      this.#opened = { control, port }
      const answer = await this.#call(
        control,
        'AddPortMapping',
        {
          ...{ NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'UDP' },
          ...{ NewInternalPort: internalPort, NewInternalClient: local, NewEnabled: 1 },
          ...{ NewPortMappingDescription: 'Show Chain', NewLeaseDuration: lifetime },
        },
        signal,
      )
      if (typeof answer === 'string') {
        if (before !== undefined && before.port !== port) await this.#delete(before.control, before.port, signal)
        return port
      }
      this.#opened = before
      code = answer
      if (code === PERMANENT_ONLY && lifetime > 0) lifetime = 0
      else if (code === CONFLICT) {
        port = FIRST_EXTERNAL_PORT + Math.floor(nodeRandom.uniform() * EXTERNAL_PORTS)
        tried++
      } else break
    }
    return { code }
  }

  async #delete(control: Control, port: number, signal: AbortSignal): Promise<void> {
    const which = { NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'UDP' }
    await this.#call(control, 'DeletePortMapping', which, signal)
  }

  /** @returns what the router answers, or the number of its error */
  async #call(
    { url, service, local }: Control,
    action: string,
    args: Arguments,
    signal: AbortSignal,
  ): Promise<string | number> {
    const given = Object.entries(args).map(([name, value]) => `<${name}>${value}</${name}>`)
    const body = [
      '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"',
      ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
      `<u:${action} xmlns:u="${service}">${given.join('')}</u:${action}></s:Body></s:Envelope>`,
    ].join('')
    const headers = { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${service}#${action}"` }
    const { time } = this.#how
    const { status, text } = await askRouter(url, { local, time, post: { headers, body } }, signal)
    const xml = checkXml(text)
    if (status === 200) return xml
    const code = Number(textOf(xml, 'errorCode') ?? Number.NaN)
    // UDA 1.1 §3.2.2: an error is a status of 500, and has a number.
    if (status !== 500 || !Number.isInteger(code)) throw new UnusableRouter(`HTTP answers ${status}`)
    return code
  }
}

/** The first service of a description that maps ports. */
function controlIn(xml: string, gateway: string, location: URL): { readonly url: URL; readonly service: string } {
  // UDA 1.0 §2.1 has a base that is not the description's own address.
  const base = routerUrl(textOf(xml, 'URLBase') || location.href, gateway)
  for (const each of contentsOf(xml, 'service')) {
    const service = IGD_SERVICES.find((type) => type === textOf(each, 'serviceType'))
    const control = textOf(each, 'controlURL')
    if (service === undefined || control === undefined) continue
    const url = base && routerUrl(control, gateway, base)
    if (url === undefined) throw new UnusableRouter('its control is elsewhere')
    return { url, service }
  }
  throw new UnusableRouter('it has no service that maps ports')
}
