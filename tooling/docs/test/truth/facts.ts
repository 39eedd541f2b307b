/**
 * Numbers that a page states, and the constants that they come from. A row whose sentence is not on
 * its page, word for word, is false or has moved.
 */
import { constant } from './constants.ts'

export interface Fact {
  /** `package/NAME`, as many as the sentence has numbers. */
  readonly of: readonly string[]
  readonly page: string
  readonly sentence: string
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']
const number = (path: string): number => {
  const value = constant(path)
  if (typeof value !== 'number') throw new Error(`${path} is no number`)
  return value
}
const list = (path: string): readonly number[] => {
  const value = constant(path)
  if (!Array.isArray(value)) throw new Error(`${path} is no list`)
  return value as readonly number[]
}
const seconds = (path: string): string => String(number(path) / 1000)
const minutes = (path: string): string => String(number(path) / 60_000)
const word = (path: string): string => WORDS[number(path)] ?? String(number(path))
const grouped = (path: string): string => number(path).toLocaleString('en')
const hours = (path: string): string => String(number(path) / 3_600_000)
const days = (path: string): string => String(number(path) / 86_400_000)
const kibi = (path: string): string => String(number(path) / 1024)
const mebi = (path: string): string => String(number(path) / 1024 ** 2)
const plain = (path: string): string => String(number(path))
const percent = (path: string): string => String(100 * number(path))

/** `a, b and c` */
const enumerated = (values: readonly (string | number)[]): string =>
  `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`

type Show = (path: string) => string

/** @returns a function whose template has one `{}` for each constant */
const on =
  (page: string) =>
  (template: string, ...shown: readonly (readonly [show: Show, path: string])[]): Fact => ({
    page,
    of: shown.map(([, path]) => path),
    sentence: shown.reduce((text, [show, path]) => text.replace('{}', show(path)), template),
  })
const says = on('docs/protocol.md')
const security = on('docs/security.md')
const client = on('packages/client/README.md')
const mailbox = on('docs/mailbox.md')
const fleet = on('docs/fleet.md')
const tunnel = on('docs/tunnel.md')
const transfer = on('docs/transfer.md')

export const facts = (): readonly Fact[] => [
  // Identity, endpoints, tickets, datagrams
  says('DER of at most {} bytes', [plain, 'wire/MAX_KEY_BYTES']),
  says('What is left has at most {} characters', [plain, 'wire/MAX_TICKET_LENGTH']),
  says('Each may occur up to {} times', [plain, 'wire/MAX_TICKET_ROUTES']),
  says('A message that exceeds {} bytes loses local first', [plain, 'wire/MAX_DATAGRAM']),
  says(
    '{} bytes of UDP payload are an IPv6 packet of 1500 bytes, {} one of 9000',
    [plain, 'wire/MAX_PROBED_DATAGRAM'],
    [plain, 'wire/MAX_RECORD_DATAGRAM'],
  ),
  says('until it is at most {} bytes', [plain, 'client/CLOSE_ENOUGH']),
  // Who sends what
  says('sends 0x100 to an address at most every {} s', [seconds, 'server/KEEP_ALIVE_GAP']),
  says('P sends unbound to an address once in {} s at most', [seconds, 'server/UNBOUND_GAP']),
  says('registers again, {} s after its last registration at the earliest', [seconds, 'client/REREGISTER_GAP']),
  says('up to {} s while errors go on coming', [seconds, 'client/REREGISTER_GAP_LAST']),
  says('After {} answers that did not verify', [plain, 'client/MAX_FORGED_ANSWERS']),
  says('A requester that has no 0x115 after {} s', [seconds, 'client/PLAIN_PUNCH_AFTER']),
  says('A question is open for at most {} s', [seconds, 'client/CONSENT_LIFETIME']),
  says(
    'at most {} packets or {} bytes of datagrams',
    [plain, 'server/MAX_UNCONSENTED_PACKETS'],
    [plain, 'server/MAX_UNCONSENTED_BYTES'],
  ),
  says(
    'at most {} introductions (0x112) or {} bytes of them per pair',
    [plain, 'server/MAX_INTRODUCTIONS'],
    [plain, 'server/MAX_INTRODUCTION_BYTES'],
  ),
  says('no {} s hold more', [seconds, 'server/CONSENT_SPAN']),
  // Retransmission
  {
    of: ['client/RETRY_DELAYS'],
    page: 'docs/protocol.md',
    sentence: `as identical bytes ${enumerated(list('client/RETRY_DELAYS').map((ms) => ms / 1000))} s after each other`,
  },
  says('each delay ±{} %', [percent, 'client/RETRY_JITTER']),
  says('They fail {} s after the last', [seconds, 'client/FINAL_WAIT']),
  says('gets the cached answer, kept {} s', [seconds, 'client/ANSWER_LIFETIME']),
  says('again, at most {} times per attempt', [word, 'server/MAX_ACK_REPEATS']),
  says('P forwards one message at most {} times', [plain, 'server/MAX_FORWARDS']),
  says('the first {} bytes of its signature', [plain, 'server/PROOF_BYTES']),
  says('P remembers a message for {} s', [seconds, 'server/OUTSTANDING_LIFETIME']),
  says('A punch attempt lives {} s at P', [seconds, 'server/ATTEMPT_LIFETIME']),
  says('A session ends after {} min without a message', [minutes, 'server/SESSION_IDLE']),
  says('noSession is sent at most every {} ms', [plain, 'server/NO_SESSION_GAP']),
  // Replay, addresses
  says('Its ts must be within ±{} s', [seconds, 'crypto/FIRST_CONTACT_TOLERANCE']),
  says('Proxied data has a window of {}', [grouped, 'crypto/REPLAY_WINDOW']),
  says('has 1 to {} bytes', [plain, 'wire/MAX_COOKIE_BYTES']),
  says(
    '{} bytes of a number that goes up with each cookie, and {} bytes of HMAC-SHA256',
    [word, 'crypto/NUMBER_BYTES'],
    [plain, 'crypto/MAC_BYTES'],
  ),
  says('An epoch has {} s', [seconds, 'crypto/COOKIE_EPOCH']),
  says('It follows at most {} challenges for one request', [word, 'client/MAX_CHALLENGES']),
  says(
    'fewer than {} a second ({} at once) were taken so before',
    [plain, 'client/STRANGERS_PER_SECOND'],
    [plain, 'client/STRANGER_BURST'],
  ),
  says('with the first {} bytes of the signature of the 0x102', [plain, 'wire/CHALLENGE_BYTES']),
  says('first {} bytes of HMAC-SHA256(secret', [plain, 'crypto/TOKEN_MAC_BYTES']),
  says('An epoch has {} h of the issuer', [hours, 'crypto/TOKEN_EPOCH']),
  says('whose 0x101 it is verifying, for {} s', [seconds, 'server/ARRIVAL_LIFETIME']),
  security(
    '{} first contacts a second ({} at once) are verified and answered without a challenge',
    [plain, 'client/STRANGERS_PER_SECOND'],
    [plain, 'client/STRANGER_BURST'],
  ),
  says('it ends after {} s without one', [seconds, 'server/BINDING_LIFETIME']),
  // STUN
  says('is repeated after {}, 20 and 40 s', [seconds, 'client/AGAIN_FIRST']),
  {
    of: ['client/SCHEDULE'],
    page: 'docs/protocol.md',
    sentence: (() => {
      const waits = list('client/SCHEDULE')
      const sent = waits.map((_, index) => waits.slice(0, index).reduce((sum, ms) => sum + ms, 0) / 1000)
      return `after ${enumerated(sent)} s, and gives up at ${waits.reduce((sum, ms) => sum + ms, 0) / 1000} s`
    })(),
  },
  // Punching
  {
    of: ['client/PROBE_TIMES'],
    page: 'docs/protocol.md',
    sentence: `Probes leave ${enumerated(list('client/PROBE_TIMES'))} ms after the introduction`,
  },
  says(
    'An attempt ends {} s after the introduction ({} s with birthday probing)',
    [seconds, 'client/ATTEMPT_LIFETIME'],
    [seconds, 'client/BIRTHDAY_LIFETIME'],
  ),
  says('It has at most {} candidates', [plain, 'client/MAX_CANDIDATES']),
  says('at most {} keep-alive-sized packets go to an ip:port', [plain, 'client/MAX_PROBES']),
  says(
    'at most 256 such packets from {} sockets to one ip:port, or {} to as many ports',
    [plain, 'client/BIRTHDAY_SOCKETS'],
    [grouped, 'client/BIRTHDAY_PROBES'],
  ),
  says(
    'One leaves every {} ms or every {} ms',
    [plain, 'client/BIRTHDAY_SOCKET_INTERVAL'],
    [plain, 'client/BIRTHDAY_INTERVAL'],
  ),
  says('{} s after the start of an attempt that found nothing', [seconds, 'client/BIRTHDAY_DELAY']),
  says('Two of {} ports meet', [grouped, 'client/PORTS']),
  // Rates
  says(
    'a challenge at most, {} a second ({} at once) at each address and port',
    [word, 'client/CHALLENGES_PER_SECOND'],
    [plain, 'client/CHALLENGE_BURST'],
  ),
  // Handshake
  says(
    'a receiver reads {} handshake messages a second, {} at once',
    [plain, 'client/HANDSHAKES_PER_SECOND'],
    [plain, 'client/HANDSHAKE_BURST'],
  ),
  says('as long as a request waits for its answer, {} s', [seconds, 'client/DATA_PATH_WAIT']),
  // Keep-alive
  says('A 0x100 leaves when nothing was sent for {} s', [seconds, 'client/KEEP_ALIVE_INTERVAL']),
  says('a path is dead when {} of them are unanswered', [word, 'client/MAX_UNANSWERED']),
  says('A keep-alive to a relay that is unanswered for {} s', [seconds, 'client/UNANSWERED_AFTER']),
  says(
    'asks it each {} s (±20 %) for {} s whether it is back, then each {} s, for {} s in all',
    [seconds, 'client/RETURN_ASK_GAP'],
    [seconds, 'client/RETURN_ASK_OFTEN'],
    [seconds, 'client/RETURN_ASK_GAP_LATER'],
    [seconds, 'client/RETURN_ASK_TIME'],
  ),
  says('but not twice in {} s. What waits', [seconds, 'client/RETURN_REGISTER_GAP']),
  says('{} records in a row asked', [plain, 'client/BUSY_RECORDS']),
  says('each within {} s of the one before', [seconds, 'client/LULL']),
  says('unless one was sent there in the last {} s', [seconds, 'client/KEEP_ALIVE_ECHO_GAP']),
  says('a message on it was sent {} times without an acknowledgement', [word, 'client/SUSPICIOUS_TRANSMISSIONS']),
  says('and at least {} ms;', [plain, 'client/DOUBTFUL_SILENCE']),
  says('A path is not put in doubt twice in {} s', [seconds, 'client/PATH_ASK_GAP']),
  says('is asked on, every {} s for {} s', [seconds, 'client/DEAD_ASK_GAP'], [seconds, 'client/DEAD_ASK_TIME']),
  says('a timer fired more than {} s late', [seconds, 'client/SLEPT']),
  // End to end
  says('minus {} is sent in the fewest parts', [plain, 'wire/HANDSHAKE_HEADER_BYTES']),
  says('all of one size except the last, at most {}.', [plain, 'wire/MAX_HANDSHAKE_PARTS']),
  says('a channel frame to the relay, {} bytes longer', [plain, 'wire/CHANNEL_HEADER_BYTES']),
  {
    of: ['wire/PROBED_DATAGRAMS', 'wire/MAX_DATAGRAM', 'wire/CHANNEL_HEADER_BYTES'],
    page: 'docs/protocol.md',
    sentence: `a datagram to the other end | ${plain('wire/MAX_DATAGRAM')} | ${list('wire/PROBED_DATAGRAMS').join(', ')} |`,
  },
  {
    of: ['wire/PROBED_DATAGRAMS', 'wire/MAX_DATAGRAM', 'wire/CHANNEL_HEADER_BYTES'],
    page: 'docs/protocol.md',
    sentence: `17 bytes longer | ${number('wire/MAX_DATAGRAM') - number('wire/CHANNEL_HEADER_BYTES')} | ${list(
      'wire/PROBED_DATAGRAMS',
    )
      .map((size) => size - number('wire/CHANNEL_HEADER_BYTES'))
      .join(', ')} |`,
  },
  says('only if nothing came for {} ms', [plain, 'client/ASK_AFTER']),
  says(
    'sent again after {} s, then {} times later each time, at most {} s',
    [seconds, 'client/REPEAT_FIRST'],
    [plain, 'client/REPEAT_GROWTH'],
    [seconds, 'client/REPEAT_LAST'],
  ),
  says('A handshake that an end wants has failed after {} s', [seconds, 'client/HANDSHAKE_TIME']),
  says(
    'answers at most {} different messages 1 in {} s',
    [plain, 'client/MAX_FIRST_MESSAGES'],
    [seconds, 'client/HANDSHAKE_TIME'],
  ),
  says('valid for more than {} days', [days, 'crypto/CERTIFICATE_LIFETIME']),
  says('begins more than {} day after its own clock', [
    (path) => WORDS[number(path) / 86_400_000] ?? '',
    'crypto/CLOCK_TOLERANCE',
  ]),
  says('The {} bytes of the header are associated data', [plain, 'wire/RECORD_HEADER_BYTES']),
  says('when {} s have passed since the last change', [seconds, 'client/REKEY_AFTER']),
  says('Records of the epoch before are taken for another {} s', [seconds, 'client/PREVIOUS_KEY_GRACE']),
  says('Replay window: {} numbers', [grouped, 'crypto/REPLAY_WINDOW']),
  says('The last epoch is {}', [grouped, 'crypto/MAX_EPOCH']),
  says('One challenge is open at a time, for {} s', [seconds, 'client/CHALLENGE_LIFETIME']),
  // Streams
  says('{} KiB ({} bytes) for each stream', [kibi, 'client/STREAM_WINDOW'], [grouped, 'client/STREAM_WINDOW']),
  says('{} MiB ({}) for all streams', [mebi, 'client/CONNECTION_WINDOW'], [grouped, 'client/CONNECTION_WINDOW']),
  says('and {} streams of each opener', [plain, 'client/MAX_OPEN_STREAMS']),
  says(
    'up to {} MiB for a stream and {} MiB for all',
    [mebi, 'client/MAX_STREAM_WINDOW'],
    [mebi, 'client/MAX_CONNECTION_WINDOW'],
  ),
  says('reason of at most {} bytes', [plain, 'wire/MAX_REASON_BYTES']),
  says('The closing end sends it in {} records', [word, 'client/CLOSE_RECORDS']),
  says('Each end has one of its own, {} s unless', [seconds, 'client/IDLE_TIMEOUT']),
  says('late by {} s was suspended', [seconds, 'client/SUSPENDED']),
  says('the record size of the path minus {}:', [plain, 'wire/DATAGRAM_OVERHEAD']),
  says('An ACK leaves after {} records', [plain, 'client/ACK_EVERY']),
  says('and {} ms after the second', [plain, 'client/ACK_SOON']),
  says(
    'It has at most {} ranges; a receiver reads the first {} of an ACK',
    [plain, 'client/RECEIVED_RANGES'],
    [plain, 'wire/MAX_ACK_RANGES'],
  ),
  says('an initial round trip of {} ms', [plain, 'client/INITIAL_RTT']),
  says('a packet threshold of {} and', [plain, 'client/PACKET_THRESHOLD']),
  says('what was lost is tried again after {} min', [minutes, 'client/RAISE_AFTER']),
  // Choosing a path
  says(
    'punches again after {} s, then after twice as long each time, up to {} min',
    [seconds, 'client/UPGRADE_FIRST'],
    [minutes, 'client/UPGRADE_LAST'],
  ),
  says('Either end does after {} s when a direct path died', [seconds, 'client/UPGRADE_SOON']),
  says(
    'the registered ones first, again after {} and 1 s, then every {} s',
    [seconds, 'client/RECOVERY_PAUSE'],
    [seconds, 'client/RECOVERY_PAUSE_LAST'],
  ),
  says('A connection without any path ends after {} s', [seconds, 'client/RECOVERY_TIME']),
  says(
    'unbound {} times in {} minutes',
    [word, 'client/DUPLICATE_LOSSES'],
    [(path) => WORDS[number(path) / 60_000] ?? '', 'client/DUPLICATE_WINDOW'],
  ),
  // Other pages
  security('answered in {} s', [seconds, 'client/HANDSHAKE_TIME']),
  security("certified by its owner's identity for at most {} days", [days, 'crypto/CERTIFICATE_LIFETIME']),
  security('{} keep-alives to an announced ip:port', [plain, 'client/MAX_PROBES']),
  security('the one before is forgotten after {} s', [seconds, 'client/PREVIOUS_KEY_GRACE']),
  client('keepAlive | {} |', [grouped, 'client/KEEP_ALIVE_INTERVAL']),
  client('idleTimeout | {} |', [grouped, 'client/IDLE_TIMEOUT']),
  client('opens a stream; waits while {} are open', [plain, 'client/MAX_OPEN_STREAMS']),
  client('while {} datagrams wait', [plain, 'client/DATAGRAM_QUEUE']),
  client('If {} are unread, later ones are dropped', [grouped, 'client/MAX_UNREAD_DATAGRAMS']),
  {
    of: ['wire/MAX_DATAGRAM', 'wire/DATAGRAM_OVERHEAD'],
    page: 'packages/client/README.md',
    sentence: `it is ${(number('wire/MAX_DATAGRAM') - number('wire/DATAGRAM_OVERHEAD')).toLocaleString('en')} bytes at first`,
  },
  client('A connection without any path for {} s closes', [seconds, 'client/RECOVERY_TIME']),
  transfer('payload has at most {} bytes', [grouped, 'files/MAX_FRAME']),
  transfer('UTF-8 of at most {} bytes', [plain, 'files/MAX_STOP_BYTES']),
  transfer('At most {} entries are announced', [grouped, 'files/MAX_ANNOUNCED']),
  transfer('more than {} entries;', [grouped, 'files/MAX_ENTRIES']),
  transfer(
    'a name of more than {} bytes, more than {} bytes, or more than {} names',
    [plain, 'files/MAX_NAME_BYTES'],
    [grouped, 'files/MAX_PATH_BYTES'],
    [plain, 'files/MAX_DEPTH'],
  ),
  fleet('A message has at most {} bytes', [plain, 'wire/MAX_FLEET_MESSAGE']),
  fleet('what is more than {} s off its own clock', [seconds, 'server/TIME_TOLERANCE']),
  fleet('It reports that once in {} s', [seconds, 'server/TWIN_GAP']),
  fleet('to all each {} s, when it starts', [seconds, 'server/STATUS_GAP']),
  fleet('One that said nothing for {} s is gone', [seconds, 'server/NODE_LIFETIME']),
  fleet('for {} s after the last one', [seconds, 'server/PLACE_LIFETIME']),
  fleet('up to {} addresses', [plain, 'wire/MAX_FLEET_ADDRESSES']),
  mailbox('time that a slot waits | {} s', [seconds, 'mailbox/SLOT_LIFE']),
  mailbox('rests before it is given again | {} s', [seconds, 'mailbox/REST']),
  mailbox(
    'slots that wait | {}, of one source {} |',
    [plain, 'mailbox/MAX_SLOTS'],
    [plain, 'mailbox/MAX_SLOTS_PER_SOURCE'],
  ),
  mailbox('time to the first frame | {} s', [seconds, 'mailbox/FIRST_FRAME']),
  mailbox('time from TAKE to DONE | {} s', [seconds, 'mailbox/RUN']),
  mailbox('frames passed on from each end | {} |', [plain, 'mailbox/MAX_PASSED']),
  mailbox(
    'connections | {}, of one source {} |',
    [grouped, 'mailbox/MAX_CONNECTIONS'],
    [plain, 'mailbox/MAX_CONNECTIONS_PER_SOURCE'],
  ),
  mailbox('streams of a connection | {} |', [plain, 'mailbox/MAX_STREAMS']),
  mailbox('a connection has no stream | {} s', [seconds, 'mailbox/IDLE']),
  mailbox('A code is a number from 1 to {},', [plain, 'mailbox/MAX_NUMBER']),
  tunnel('did not accept within {} s', [seconds, 'tunnel/TARGET_TIME']),
  tunnel('nothing came or went for {} s', [seconds, 'tunnel/FLOW_IDLE']),
  tunnel('at most {} flows of a connection', [plain, 'tunnel/MAX_FLOWS']),
  tunnel('fewer than {} bytes is dropped', [plain, 'tunnel/FLOW_BYTES']),
  {
    of: ['wire/MAX_DATAGRAM', 'wire/DATAGRAM_OVERHEAD', 'tunnel/FLOW_BYTES'],
    page: 'docs/tunnel.md',
    sentence: `${(number('wire/MAX_DATAGRAM') - number('wire/DATAGRAM_OVERHEAD') - number('tunnel/FLOW_BYTES')).toLocaleString('en')} bytes fit`,
  },
  tunnel('A connection carries {} streams at a time', [plain, 'client/MAX_OPEN_STREAMS']),
  tunnel('them wait, {} s at most', [seconds, 'tunnel/WAITING_TIME']),
  tunnel('at most {} local connections', [plain, 'tunnel/MAX_LOCAL']),
  tunnel('at most {} streams at a time', [grouped, 'tunnel/MAX_SERVED']),
  tunnel('is answered wait, {} at most', [plain, 'tunnel/MAX_HELD']),
  tunnel(
    'then after {} s, then with a back-off up to {} s',
    [seconds, 'tunnel/REDIAL_FIRST'],
    [seconds, 'tunnel/REDIAL_LAST'],
  ),
  security('{} streams over all connections, {} flows', [grouped, 'tunnel/MAX_SERVED'], [plain, 'tunnel/MAX_FLOWS']),
  on('packages/files/README.md')('something must go on ({})', [grouped, 'files/SILENCE']),
  on('packages/server/README.md')('extends the binding by {} s', [seconds, 'server/BINDING_LIFETIME']),
  on('apps/peer-cli/README.md')('before a keep-alive is sent ({})', [plain, 'client/KEEP_ALIVE_INTERVAL']),
  ...[
    'MAX_DATAGRAM',
    'MAX_KEY_BYTES',
    'MAX_COOKIE_BYTES',
    'MAX_LOCAL_CANDIDATES',
    'MAX_TICKET_LENGTH',
    'MAX_TICKET_ROUTES',
  ].map((name) => on('packages/wire/README.md')(`${name} | {} |`, [plain, `wire/${name}`])),
]
