/**
 * Datagrams that wait for one system call. Those to one endpoint object leave side by side, in order,
 * and those of one length as a train: the kernel looks for the way there once, and not for each.
 */
import { constants } from 'node:os'
import type { Route } from '../../core/endpoint/machine.ts'
import type { Libc } from './libc.ts'
import { LARGEST, Messages } from './messages.ts'
import { type Destination, DestinationBook } from './socket-address.ts'

const SENT_AT_ONCE = 64
/** Datagrams that wait for one call, and their bytes: some trains. */
export const MAX_WAITING = 256
const SEND_ROOM = 4 * LARGEST
/** UDP_MAX_SEGMENTS of Linux before 6.9. */
const TRAIN_DATAGRAMS = 64
/** A train is one packet to the IP layer. */
const TRAIN_BYTES = 65_000

const { EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, EOPNOTSUPP } = constants.errno

/** Ends a chain; has been taken from one. */
const [NONE, TAKEN] = [-1, -2]

/** Flushes so far, of all rings: a destination knows in which of them it was seen last. */
let flushes = 0

export class SendRing {
  readonly #libc: Libc
  readonly #messages: Messages
  readonly #book = new DestinationBook()
  /** What waits lies in slots, which are used again when nothing does. */
  readonly #destinations: Destination[] = []
  readonly #starts = new Int32Array(MAX_WAITING)
  readonly #lengths = new Int32Array(MAX_WAITING)
  /** The slots in the order in which they leave. */
  #order = new Int32Array(MAX_WAITING)
  #waiting = 0
  /** Where in the data the next one goes. */
  #end = 0
  readonly #next = new Int32Array(MAX_WAITING)
  #scratch = new Int32Array(MAX_WAITING)
  /** Datagrams of each message of a call. */
  readonly #counts = new Int32Array(SENT_AT_ONCE)
  #trains: boolean
  /** Datagrams of a refused train, which are sent by themselves. */
  #singly = 0

  /** @param trains whether the kernel cuts trains (UDP_SEGMENT) */
  constructor(libc: Libc, trains: boolean) {
    this.#libc = libc
    this.#trains = trains
    this.#messages = new Messages(libc, { messages: SENT_AT_ONCE, pieces: MAX_WAITING, data: SEND_ROOM })
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Copies the datagram. @returns false: there is no room before a flush */
  add(to: Route, bytes: Uint8Array): boolean {
    const slot = this.#destinations.length
    if (slot >= MAX_WAITING || this.#end + bytes.length > SEND_ROOM) return false
    this.#messages.data.set(bytes, this.#end)
    this.#destinations.push(this.#book.destination(to))
    this.#starts[slot] = this.#end
    this.#lengths[slot] = bytes.length
    this.#order[this.#waiting++] = slot
    this.#end += bytes.length
    return true
  }

  /** @returns whether the kernel's buffer is full: the rest waits */
  flush(descriptor: number, unsent: (errno: number, count: number) => void): boolean {
    this.#group()
    while (this.#waiting > 0) {
      const messages = this.#arrange()
      const sent = this.#libc.sendmmsg(descriptor, this.#messages.headers, messages, 0)
      if (sent >= 0) {
        let datagrams = 0
        for (let message = 0; message < sent; message++) datagrams += this.#counts[message] as number
        this.#drop(datagrams)
        continue
      }
      const errno = this.#libc.errno()
      if (errno === EAGAIN) return true
      if (errno === EINTR) continue
      const first = this.#counts[0] as number
      // A device that cannot cut trains, and one that is narrower than their datagrams.
      if (first > 1 && (errno === EIO || errno === EOPNOTSUPP)) this.#trains = false
      else if (first > 1 && (errno === EINVAL || errno === EMSGSIZE)) this.#singly = first
      else {
        this.#drop(first)
        unsent(errno, first)
      }
    }
    return false
  }

  /** What goes to one place moves up to the first of it. */
  #group(): void {
    flushes++
    let scattered = false
    for (let place = 0, before: Destination | undefined; place < this.#waiting; place++) {
      const slot = this.#order[place] as number
      const to = this.#destinations[slot] as Destination
      if (to.flush === flushes) {
        if (to !== before) scattered = true
        this.#next[to.last] = slot
      }
      to.flush = flushes
      to.last = slot
      this.#next[slot] = NONE
      before = to
    }
    if (!scattered) return
    const order = this.#scratch
    for (let place = 0, done = 0; done < this.#waiting; place++)
      for (let slot = this.#order[place] as number; slot !== NONE && this.#next[slot] !== TAKEN; ) {
        const next = this.#next[slot] as number
        this.#next[slot] = TAKEN
        order[done++] = slot
        slot = next
      }
    this.#scratch = this.#order
    this.#order = order
  }

  /** Writes the headers. @returns how many messages there are */
  #arrange(): number {
    const messages = this.#messages
    let message = 0
    let piece = 0
    for (let place = 0; place < this.#waiting && message < SENT_AT_ONCE; message++) {
      const count = this.#trainFrom(place)
      const first = piece
      const slot = this.#order[place] as number
      let from = this.#starts[slot] as number
      let to = from
      for (const end = place + count; place < end; place++) {
        const next = this.#order[place] as number
        const start = this.#starts[next] as number
        if (start !== to) {
          messages.place(piece++, from, to - from)
          from = start
        }
        to = start + (this.#lengths[next] as number)
      }
      messages.place(piece++, from, to - from)
      messages.compose(message, first, piece - first)
      const destination = this.#destinations[slot] as Destination
      messages.address(message, destination.bytes, count > 1 ? (this.#lengths[slot] as number) : 0)
      this.#counts[message] = count
    }
    return message
  }

  /** How many datagrams from this one on can leave as one train: all of its length but the last. */
  #trainFrom(place: number): number {
    const slot = this.#order[place] as number
    const length = this.#lengths[slot] as number
    if (!this.#trains || length === 0 || place < this.#singly) return 1
    let count = 1
    let bytes = length
    while (count < TRAIN_DATAGRAMS && place + count < this.#waiting) {
      const next = this.#order[place + count] as number
      const more = this.#lengths[next] as number
      const fits = more > 0 && more <= length && bytes + more <= TRAIN_BYTES
      if (!fits || this.#destinations[next] !== this.#destinations[slot]) break
      count++
      bytes += more
      if (more < length) break
    }
    return count
  }

  /** The first ones have left, or never will. */
  #drop(count: number): void {
    this.#singly = Math.max(0, this.#singly - count)
    this.#order.copyWithin(0, count, this.#waiting)
    this.#waiting -= count
    if (this.#waiting > 0) return
    this.#destinations.length = 0
    this.#end = 0
  }
}
