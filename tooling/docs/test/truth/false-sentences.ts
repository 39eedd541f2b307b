/**
 * Sentences that docs/security.md denies. Each row has a pattern, a sentence that stood somewhere
 * once or easily could, why it is false, and where the truth stands. When a limit is mended, its
 * row goes, and the sentence may be written.
 *
 * Patterns see a text without line breaks, comment signs, backticks and emphasis.
 */
interface FalseSentence {
  readonly pattern: RegExp
  readonly example: string
  readonly why: string
  /** A heading of docs/security.md or docs/protocol.md. */
  readonly truth: `${'security' | 'protocol'}.md#${string}`
}

export const FALSE_SENTENCES: readonly FalseSentence[] = [
  {
    pattern: /\b(data|wire today|traffic|connections?|streams?)\b[^.;:]{0,60}\b(is|are) not encrypted/i,
    example: 'What goes over the wire today is not encrypted: signatures say who asks.',
    why: 'data is protected from end to end unless a peer opts for plaintext',
    truth: 'security.md#what-is-promised',
  },
  {
    pattern: /not encrypted end to end|no end-to-end (encryption|protection) yet|not protected end to end yet/i,
    example: 'data is not encrypted end to end yet: this relay can read what it carries',
    why: 'data is protected from end to end unless a peer opts for plaintext',
    truth: 'security.md#what-is-promised',
  },
  {
    pattern: /\b(this|the|a) relay can (read|see|alter) (what|everything|all)\b/i,
    example: 'this relay can read what it carries',
    why: 'a relay reads plaintext connections only',
    truth: 'security.md#a-relay',
  },
  {
    pattern: /reserved for end-to-end (encryption|protection)|encryption \(reserved\)/i,
    example: 'X25519 public key, reserved for end-to-end protection',
    why: 'end-to-end protection exists and needs none of the reserved fields',
    truth: 'protocol.md#reserved',
  },
  {
    pattern: /clos(e|es|ing)(\(\))? tells nothing|the (other end|remote peer) notices when it sends/i,
    example: 'Ends the connection on this side. The other end notices when it sends.',
    why: 'a protected connection sends CONNECTION_CLOSE; only in plaintext there is none',
    truth: 'protocol.md#what-is-in-a-record',
  },
  {
    pattern:
      /RSA (only|comes only|is done only) after (the )?(rate|cookie)|nothing (is|gets) verified (before|without) a cookie/i,
    example: 'RSA only after rate and cookie',
    why: '0x112 is verified at a peer without rate and cookie',
    truth: 'security.md#known-limits',
  },
  {
    pattern:
      /eviction (rule )?that (never )?reopens|full table (never|does not) weakens? a rule|evict\w* never reopens?/i,
    example: 'every table has a cap and an eviction that reopens nothing',
    why: 'full tables turn newcomers away',
    truth: 'security.md#known-limits',
  },
  {
    pattern:
      /nothing without the keys has (an|any) effect|only (an end|a peer) with the keys can (close|stall|suspend)/i,
    example: 'nothing without the keys has an effect: no record, no close, no reset, no answer',
    why: 'unsigned messages of the seed suspend a relayed connection and make a peer register again',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /stranger (can not|cannot|can't) make (anybody|anyone|a peer|a relay|it) (compute|work)/i,
    example: 'a stranger cannot make anybody compute, so there is no cookie of its own',
    why: 'requests without a proof of address spend rates and verifications',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /(never|cannot|can not|can't)( be used to)? amplif|no amplification/i,
    example: 'a relay can never amplify anything',
    why: 'STUN answers and path responses are longer than what caused them',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /(hides?|conceals?) (the |their )?(sizes?|lengths?|traffic)\b|records are padded/i,
    example: 'Records are padded, which hides their sizes.',
    why: 'records are not padded',
    truth: 'security.md#what-is-not-protected',
  },
  {
    pattern: /\banonym(ous|ously|ity)\b/i,
    example: 'Peers stay anonymous.',
    why: 'relays see ids and addresses, networks see addresses',
    truth: 'security.md#what-is-not-protected',
  },
  {
    pattern: /relay[^.;:]{0,40}(does not|cannot|can not|can't) (see|know|learn)[^.;:]{0,30}\b(who|ids?|addresses)\b/i,
    example: 'A relay cannot learn who talks to whom.',
    why: 'a relay sees ids, addresses, times and sizes',
    truth: 'security.md#what-is-not-protected',
  },
  {
    pattern: /quantum[- ](safe|secure|proof|resistant)/i,
    example: 'The handshake is quantum-safe.',
    why: 'neither RSA nor X25519 withstands quantum computers',
    truth: 'security.md#what-is-not-protected',
  },
  {
    pattern: /connect(\(\))? resolves (only )?(when|once|after) both (ends|peers)/i,
    example: 'connect() resolves only when both ends agree.',
    why: 'it resolves when the dialling end has the keys',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /unread stream[^.;:]{0,40}(only itself|no other|none of the others|never blocks)/i,
    example: 'An unread stream stops only itself.',
    why: 'four unread streams use up the limit of the connection',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /silent (to|towards) strangers|strangers? (get|gets) no answer (at all|whatsoever)/i,
    example: 'A relay-only peer is silent towards strangers.',
    why: 'a first contact is answered by a challenge, which confirms the id',
    truth: 'security.md#known-limits',
  },
  {
    pattern: /plaintext[^.;:]{0,20}\b(is|by) (the )?default|encryption is (off|disabled) by default/i,
    example: 'plaintext is the default',
    why: 'a peer is protected unless it opts for plaintext',
    truth: 'protocol.md#end-to-end-ext',
  },
  {
    pattern: /clocks? (do not|don't|does not|never) matter|needs? no clock|independent of (the )?clocks?/i,
    example: 'Certificates are fresh, so clocks do not matter.',
    why: 'certificates, introductions and first contacts depend on the clocks of both ends',
    truth: 'security.md#known-limits',
  },
]
