/** Where a router says that its description and its control are. */

/** Characters of an address; longer than that of any router. */
const MAX_URL = 512

/** What a router says by UPnP, and nobody may rely on. */
export class UnusableRouter extends Error {
  /** @param what half a sentence for people, without a word of the router */
  constructor(what: string) {
    super(`what the router says by UPnP is not used: ${what}`)
  }
}

/** Undefined: it leads elsewhere than to the router itself, over HTTP. */
export function routerUrl(text: string, gateway: string, base?: URL): URL | undefined {
  if (text.length > MAX_URL || !URL.canParse(text, base?.href)) return undefined
  const url = new URL(text, base)
  const plain = url.protocol === 'http:' && url.username === '' && url.password === ''
  return plain && url.hostname === gateway ? url : undefined
}
