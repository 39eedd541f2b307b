/// <reference lib="dom" />
// A page that does what `showchain connect --pipe` does: sends a file to `showchain listen --pipe`, and keeps what comes.
import { generateIdentity, identityFromPem, Peer } from '@showchain/client/browser'

const KEPT = 'showchain identity'

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (element(id))
/** @param {string} text */
const say = (text) => {
  element('state').textContent = text
}

/** The same peer each time that the page is opened. */
async function identity() {
  const kept = localStorage.getItem(KEPT)
  if (kept !== null) return identityFromPem(kept)
  const made = await generateIdentity()
  localStorage.setItem(KEPT, made.toPem())
  return made
}

/** @param {string} ticket @param {File} file */
async function exchange(ticket, file) {
  // A page of this host may go to relays on this host.
  const addressPolicy = ['localhost', '127.0.0.1'].includes(location.hostname) ? 'lab' : 'internet'
  const peer = await Peer.open({ identity: await identity(), addressPolicy })
  const connection = await peer.connect(ticket)
  say(`Connected by a ${connection.path.kind}.`)
  // An empty stream says that this end is there and is no ping; then each end sends on a stream of its own.
  void (await connection.openStream()).end()
  const sent = file.stream().pipeTo((await connection.openStream()).writable)
  const { value: stream } = await connection.streams.next()
  const parts = []
  let received = 0
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
    parts.push(new Uint8Array(bytes))
    received += bytes.length
    element('received').textContent = String(received)
  }
  await Promise.all([sent, stream.end()])
  const link = document.createElement('a')
  element('state').after(Object.assign(link, { download: 'copy', href: URL.createObjectURL(new Blob(parts)) }))
  link.textContent = 'Save what came'
  await connection.close()
  await peer.close()
  say('Done.')
}

element('form').addEventListener('submit', (event) => {
  event.preventDefault()
  const [file] = input('file').files ?? []
  if (file !== undefined) exchange(input('ticket').value.trim(), file).catch(({ message }) => say(message))
})
