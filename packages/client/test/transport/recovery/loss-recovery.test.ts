/**
 * RFC 9002 §6 and §7.6: when a record counts as lost, when a probe is due, and what a path is told.
 */
import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant, later } from '../../../src/core/index.ts'
import type { AckSample, Congestion, LossSample } from '../../../src/core/transport/congestion/controller.ts'
import { LossRecovery } from '../../../src/core/transport/recovery/loss-recovery.ts'
import type { PathTraits } from '../../../src/core/transport/recovery/path-traits.ts'
import type { SentFrame } from '../../../src/core/transport/recovery/sent-frame.ts'

const BYTES = 1000
const TRAITS: PathTraits = { base: 1200, larger: [1400], acks: 'prompt' }
/** How long the other end may wait with an acknowledgement on such a path. */
const ACK_DELAY = 25
/**
 * Before anything is known: 333 ms, half of it as variation, and the delay of the acknowledgement.
 */
const FIRST_TIMEOUT = 333 + 4 * (333 / 2) + ACK_DELAY

/** Writes down what a controller is told. */
class Ledger implements Congestion {
  readonly name = 'ledger'
  readonly window = 1e9
  readonly pacingRate = undefined
  readonly acks: AckSample[] = []
  readonly losses: LossSample[] = []

  acked(sample: AckSample): void {
    this.acks.push(sample)
  }

  lost(sample: LossSample): void {
    this.losses.push(sample)
  }
}

class Bed {
  now: Instant = instant(1000)
  /** One for each path. */
  readonly ledgers: Ledger[] = []
  readonly recovery: LossRecovery
  #next = 0

  constructor() {
    const make = (): Congestion => {
      const ledger = new Ledger()
      this.ledgers.push(ledger)
      return ledger
    }
    this.recovery = new LossRecovery(make, TRAITS)
  }

  /** So many records, one each millisecond; each has its number as the id of a stream frame. */
  send(count = 1): void {
    for (let sent = 0; sent < count; sent++) {
      const number = this.#next++
      this.recovery.onPacketSent(number, BYTES, [this.frame(number)], this.now)
      if (sent < count - 1) this.pass(1)
    }
  }

  frame(number: number): SentFrame {
    return { type: 'stream', id: number, from: 0, to: 1, fin: false }
  }

  /** @param ranges lowest, highest, …, the newest first */
  ack(ranges: readonly number[], ackDelay = 0): boolean {
    return this.recovery.onAckReceived(ranges, ackDelay, this.#next, this.now)
  }

  pass(ms: number): void {
    this.now = later(this.now, duration(ms))
  }

  /** Numbers that were acknowledged, or lost, since it was asked last. */
  taken(what: 'acked' | 'lost'): readonly number[] {
    const numbers: number[] = []
    const queue = this.recovery[what]
    for (let packet = queue.poll(); packet !== undefined; packet = queue.poll()) numbers.push(packet.number)
    return numbers
  }

  get deadline(): number | undefined {
    const { deadline } = this.recovery
    return deadline === undefined ? undefined : deadline - this.now
  }
}

describe('an acknowledgement', () => {
  test('settles what it names, each record once', () => {
    const bed = new Bed()
    bed.send(6)
    bed.pass(50)
    expect(bed.ack([4, 5, 1, 2])).toBe(true)
    expect([...bed.taken('acked')].sort()).toEqual([1, 2, 4, 5])
    expect(bed.ack([4, 5, 1, 2])).toBe(true)
    expect(bed.taken('acked')).toEqual([])
    expect(bed.recovery.largestAcked).toBe(5)
  })

  test('of what was never sent is refused, and changes nothing', () => {
    const bed = new Bed()
    bed.send(2)
    expect(bed.ack([0, 2])).toBe(false)
    expect([bed.taken('acked'), bed.recovery.path.bytesInFlight]).toEqual([[], 2 * BYTES])
  })

  test('measures the round trip of the newest record, less what the other end waited', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(100)
    bed.ack([0, 0])
    bed.send()
    bed.pass(120)
    bed.ack([1, 1], 20)
    const { rtt } = bed.recovery.path
    expect([rtt.latest, rtt.min, rtt.smoothed]).toEqual([120, 100, 100])
  })

  test('measures nothing when its newest record was acknowledged before', () => {
    const bed = new Bed()
    bed.send(2)
    bed.pass(100)
    bed.ack([1, 1])
    bed.pass(1)
    bed.ack([0, 1])
    expect(bed.taken('acked')).toEqual([1, 0])
    expect(bed.recovery.path.rtt.latest).toBe(100)
    expect(bed.ledgers[0]?.acks.map(({ rtt }) => rtt)).toEqual([100, undefined])
  })

  test('of a record that counted as lost settles nothing any more', () => {
    const bed = new Bed()
    bed.send(4)
    bed.pass(50)
    bed.ack([3, 3])
    expect(bed.taken('lost')).toEqual([0])
    bed.taken('acked')
    bed.ack([0, 0])
    expect(bed.taken('acked')).toEqual([])
  })

  test('leaves records out that carried nothing to be acknowledged', () => {
    const bed = new Bed()
    bed.recovery.onPacketSent(3, BYTES, [], bed.now)
    bed.recovery.onPacketSent(7, BYTES, [], bed.now)
    bed.pass(50)
    expect(bed.recovery.onAckReceived([0, 7], 0, 8, bed.now)).toBe(true)
    expect([...bed.taken('acked')].sort()).toEqual([3, 7])
    expect(bed.recovery.hasOutstanding).toBe(false)
  })

  test('costs nothing for the numbers between two records, however many', () => {
    const bed = new Bed()
    const far = 2 ** 47
    for (const number of [0, far]) bed.recovery.onPacketSent(number, BYTES, [bed.frame(number)], bed.now)
    bed.pass(50)
    expect(bed.recovery.onAckReceived([1, far], 0, far + 1, bed.now)).toBe(true)
    expect([bed.taken('acked'), bed.taken('lost')]).toEqual([[far], [0]])
  })

  test('of nothing new loses nothing (RFC 9002 A.7), and the one of a record that asked for none neither', () => {
    const bed = new Bed()
    bed.send(2)
    bed.pass(50)
    bed.ack([0, 0])
    bed.pass(1000)
    // A record of ACK alone, later than the one that is in flight.
    expect(bed.recovery.onAckReceived([2, 2], 0, 3, bed.now)).toBe(true)
    expect([bed.taken('lost'), bed.recovery.largestAcked]).toEqual([[], 2])
  })

  test('that is repeated loses nothing, which is left to the time of the loss', () => {
    const bed = new Bed()
    bed.send(2)
    bed.pass(100)
    bed.ack([1, 1])
    bed.pass(1000)
    bed.ack([1, 1])
    expect(bed.taken('lost')).toEqual([])
    bed.recovery.onTimeout(bed.now)
    expect(bed.taken('lost')).toEqual([0])
  })

  test('names what is settled for good: so many records in flight keep nothing of those before', () => {
    const bed = new Bed()
    const acked: number[] = []
    for (let round = 0; round < 50; round++) {
      bed.send(20)
      bed.pass(5)
      // Every second one of the newest, so that what is settled lies between what is not.
      bed.ack(Array.from({ length: 10 }, (_, index) => 20 * round + 19 - 2 * index).flatMap((each) => [each, each]))
      acked.push(...bed.taken('acked'))
      bed.taken('lost')
    }
    expect(acked).toHaveLength(500)
    expect(new Set(acked).size).toBe(500)
    expect(bed.recovery.lostCount + acked.length).toBe(1000 - (bed.recovery.hasOutstanding ? 1 : 0))
  })
})

describe('a record is lost', () => {
  test('when three later ones arrived', () => {
    const bed = new Bed()
    bed.send(5)
    bed.pass(50)
    bed.ack([2, 2])
    expect(bed.taken('lost')).toEqual([])
    bed.ack([3, 3])
    expect(bed.taken('lost')).toEqual([0])
    bed.ack([4, 4])
    expect(bed.taken('lost')).toEqual([1])
    expect(bed.recovery.path.bytesInFlight).toBe(0)
  })

  test('an eighth of a round trip after a later one arrived', () => {
    const bed = new Bed()
    bed.send(2)
    bed.pass(100)
    bed.ack([1, 1])
    // Sent 101 ms ago, one millisecond before the one that took 100 ms.
    expect(bed.deadline).toBeCloseTo(112.5 - 101, 10)
    bed.pass(11)
    expect([bed.recovery.onTimeout(bed.now), bed.taken('lost')]).toEqual([undefined, []])
    bed.pass(1)
    expect([bed.recovery.onTimeout(bed.now), bed.taken('lost')]).toEqual([undefined, [0]])
    expect([bed.recovery.lostCount, bed.deadline]).toEqual([1, undefined])
  })

  test('never while no later one arrived, however long it takes', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(60_000)
    expect(bed.recovery.onTimeout(bed.now)).toBe('probe')
    expect(bed.taken('lost')).toEqual([])
  })

  test('and the controller is told once of all that are found out together', () => {
    const bed = new Bed()
    bed.send(6)
    bed.pass(50)
    bed.ack([5, 5])
    expect(bed.taken('lost')).toEqual([0, 1, 2])
    expect(bed.ledgers[0]?.losses).toMatchObject([{ lost: 3 * BYTES, persistent: false }])
  })
})

describe('a probe', () => {
  test('is due when nothing came back for the round trip, four variations and the delay of an acknowledgement', () => {
    const bed = new Bed()
    expect(bed.deadline).toBeUndefined()
    bed.send()
    expect(bed.deadline).toBe(FIRST_TIMEOUT)
    bed.pass(100)
    bed.ack([0, 0])
    bed.send()
    expect(bed.deadline).toBe(100 + 4 * 50 + ACK_DELAY)
  })

  test('waits twice as long after each one that was not answered, 64 times at most', () => {
    const bed = new Bed()
    bed.send()
    const waits: number[] = []
    for (let times = 0; times < 9; times++) {
      const wait = bed.deadline ?? 0
      waits.push(wait / FIRST_TIMEOUT)
      bed.pass(wait)
      expect(bed.recovery.onTimeout(bed.now)).toBe('probe')
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64])
    expect(bed.recovery.path.ptoCount).toBe(9)
  })

  test('that was answered makes the next one as early as the first', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(FIRST_TIMEOUT)
    bed.recovery.onTimeout(bed.now)
    bed.send()
    bed.pass(100)
    bed.ack([1, 1])
    expect(bed.recovery.path.ptoCount).toBe(0)
  })

  test('carries once more what the oldest record in flight carried', () => {
    const bed = new Bed()
    bed.send(3)
    bed.pass(50)
    bed.ack([0, 0])
    expect(bed.recovery.oldestFrames(1)).toEqual([bed.frame(1)])
    expect(bed.recovery.oldestFrames(2)).toEqual([bed.frame(1), bed.frame(2)])
  })

  test('is not put off by records that leave meanwhile, however many', () => {
    const bed = new Bed()
    bed.send()
    for (let sent = 1; sent < FIRST_TIMEOUT; sent++) {
      bed.pass(1)
      bed.send()
      expect(bed.deadline).toBe(FIRST_TIMEOUT - sent)
    }
  })

  test('waits from the last acknowledgement on, while anything is unanswered', () => {
    const bed = new Bed()
    bed.send(2)
    bed.pass(99)
    bed.ack([0, 0])
    expect(bed.deadline).toBe(100 + 4 * 50 + ACK_DELAY)
    bed.pass(50)
    bed.ack([0, 0])
    // One that tells of nothing new is no answer.
    expect(bed.deadline).toBe(100 + 4 * 50 + ACK_DELAY - 50)
  })

  test('waits from the next record on, when all before were answered or lost', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(100)
    bed.ack([0, 0])
    bed.pass(10_000)
    bed.send()
    expect(bed.deadline).toBe(100 + 4 * 50 + ACK_DELAY)
  })

  test('is not due before its time', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(FIRST_TIMEOUT - 1)
    expect(bed.recovery.onTimeout(bed.now)).toBeUndefined()
  })
})

describe('persistent congestion', () => {
  /**
   * A round trip of 100 ms is known. Then records are lost, the last of them so many ms after the
   * first.
   * @param arrived whether one between them is acknowledged
   */
  const lostFor = (ms: number, arrived = false): Ledger => {
    const bed = new Bed()
    bed.send()
    bed.pass(100)
    bed.ack([0, 0])
    bed.pass(1)
    bed.send()
    bed.pass(ms / 2)
    bed.send()
    bed.pass(ms / 2)
    bed.send()
    bed.pass(1)
    bed.send(3)
    bed.pass(100)
    bed.ack(arrived ? [6, 6, 2, 2] : [6, 6])
    return bed.ledgers[0] as Ledger
  }
  /**
   * Three probe timeouts: 100 ms, four variations, 25 ms of delay. The variation is 50 ms at first,
   * then 3/4 of it.
   */
  const SPAN = 3 * (100 + 4 * 37.5 + ACK_DELAY)

  test('is that records were lost over more than three probe timeouts, and none between them arrived', () => {
    expect(lostFor(SPAN + 1).losses.map(({ persistent }) => persistent)).toEqual([true])
    expect(lostFor(SPAN).losses.map(({ persistent }) => persistent)).toEqual([false])
  })

  test('is none when a record between them arrived', () => {
    expect(lostFor(SPAN + 1, true).losses.map(({ persistent }) => persistent)).toEqual([false])
  })

  test('is none before the first round trip was measured', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(60_000)
    bed.send(4)
    bed.pass(100)
    bed.ack([4, 4])
    expect(bed.ledgers[0]?.losses.map(({ persistent }) => persistent)).toEqual([false])
  })
})

describe('a path MTU probe', () => {
  test('that is lost tells the controller of nothing, and counts as no loss', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(50)
    bed.ack([0, 0])
    bed.recovery.onMtuProbeSent(1, 1400, bed.now)
    for (let number = 2; number < 5; number++) bed.recovery.onPacketSent(number, BYTES, [], bed.now)
    bed.pass(50)
    bed.recovery.onAckReceived([2, 4], 0, 5, bed.now)
    expect(bed.taken('lost')).toEqual([1])
    expect([bed.ledgers[0]?.losses, bed.recovery.lostCount]).toEqual([[], 0])
    expect(bed.recovery.path.mtu.size).toBe(1200)
  })

  test('that arrives makes records larger', () => {
    const bed = new Bed()
    bed.recovery.onMtuProbeSent(0, 1400, bed.now)
    bed.pass(50)
    bed.recovery.onAckReceived([0, 0], 0, 1, bed.now)
    expect(bed.recovery.path.mtu.size).toBe(1400)
  })
})

describe('a migration', () => {
  test('begins with nothing known of the path', () => {
    const bed = new Bed()
    bed.send(3)
    bed.pass(100)
    bed.ack([2, 2])
    bed.recovery.migrate(TRAITS, { abandonInFlight: false })
    const { rtt, bytesInFlight, ptoCount, largestAcked } = bed.recovery.path
    expect([rtt.measured, bytesInFlight, ptoCount, largestAcked]).toEqual([false, 0, 0, -1])
    expect(bed.ledgers).toHaveLength(2)
  })

  test('starts the wait for a probe with the first record on the new path', () => {
    const bed = new Bed()
    bed.send()
    bed.pass(500)
    bed.recovery.migrate(TRAITS, { abandonInFlight: false })
    expect(bed.deadline).toBeUndefined()
    bed.send()
    expect(bed.deadline).toBe(FIRST_TIMEOUT)
  })

  test('loses what is in flight when the former path is gone', () => {
    const bed = new Bed()
    bed.send(3)
    bed.recovery.migrate(TRAITS, { abandonInFlight: true })
    expect([bed.taken('lost'), bed.recovery.hasOutstanding]).toEqual([[0, 1, 2], false])
    expect(bed.ledgers.map(({ losses }) => losses)).toEqual([[], []])
  })

  test('otherwise what is in flight is acknowledged as before, and teaches the new path nothing', () => {
    const bed = new Bed()
    bed.send(2)
    bed.recovery.migrate(TRAITS, { abandonInFlight: false })
    bed.pass(100)
    bed.ack([0, 1])
    expect([...bed.taken('acked')].sort()).toEqual([0, 1])
    expect([bed.recovery.path.rtt.measured, bed.recovery.path.bytesInFlight]).toEqual([false, 0])
    expect(bed.ledgers[1]?.acks).toEqual([])
  })

  test('is no reordering: records of the former path are overtaken on the new one, and lost by time alone', () => {
    const bed = new Bed()
    bed.send(1)
    bed.recovery.migrate(TRAITS, { abandonInFlight: false })
    bed.send(5)
    bed.pass(100)
    bed.ack([1, 5])
    expect(bed.taken('lost')).toEqual([])
    bed.pass(bed.deadline ?? 0)
    bed.recovery.onTimeout(bed.now)
    expect(bed.taken('lost')).toEqual([0])
    // The new path did not lose it.
    expect(bed.ledgers[1]?.losses).toEqual([])
  })
})
