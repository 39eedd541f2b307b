/**
 * Reads the few elements of a router's XML that matter, as text between tags. It is no parser: it has no
 * tree and no depth, replaces no entity but `&amp;`, and takes nothing that declares one. Time and memory
 * are those of a search in 64 KiB.
 */
import { UnusableRouter } from './router-url.ts'

/** Elements of one name that are looked at. */
const MAX_ELEMENTS = 64
/** Characters of a text; longer than each that matters. */
const MAX_TEXT = 512

/** @throws UnusableRouter when it has a document type or CDATA: no router needs them */
export function checkXml(xml: string): string {
  if (/<!(?!--)/.test(xml)) throw new UnusableRouter('its XML declares a document type')
  return xml
}

/** What is in the elements of a name, in order. */
export function contentsOf(xml: string, name: string): readonly string[] {
  const found: string[] = []
  const [open, close] = [`<${name}`, `</${name}>`]
  for (let at = xml.indexOf(open); at !== -1 && found.length < MAX_ELEMENTS; at = xml.indexOf(open, at + 1)) {
    // Of another name that begins alike.
    if (!/[\s>]/.test(xml.charAt(at + open.length))) continue
    const from = xml.indexOf('>', at) + 1
    const end = xml.indexOf(close, from)
    if (from === 0 || end === -1) break
    found.push(xml.slice(from, end))
    at = end
  }
  return found
}

/** The text of the first element of a name; undefined: there is none, or it is not plain. */
export function textOf(xml: string, name: string): string | undefined {
  const text = contentsOf(xml, name)[0]?.trim().replaceAll('&amp;', '&')
  return text === undefined || text.length > MAX_TEXT || /[^!-;=?-~]/.test(text) ? undefined : text
}
