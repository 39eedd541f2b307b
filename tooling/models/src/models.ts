/** Every model, property and guard: the tests, the README's tables and the command read this. */
import { EARLY } from './early.ts'
import type { Model } from './model.ts'

export const MODELS: readonly Model[] = [
  {
    name: 'registration',
    title: 'Registration: challenges and address tokens',
    properties: [
      {
        name: 'bound_where_its_id_receives',
        meaning: 'A relay binds an id only to an address whose ip its owner receives at',
      },
      {
        name: 'binding_moves_forward',
        meaning: 'A request that was recorded or held back moves no binding back',
      },
      {
        name: 'no_amplification',
        meaning: 'An address that is not validated gets no more bytes than came from it',
      },
    ],
    guards: [
      {
        name: 'challenge',
        rule: 'A 0x101 from an address that is not validated is answered by a challenge only',
        section: 'Addresses',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'cookie-address',
        rule: 'A cookie counts from the address that it was sent to',
        section: 'Addresses',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'cookie-id',
        rule: 'A cookie counts for the id that was challenged',
        section: 'Addresses',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'cookie-newest',
        rule: 'A cookie counts if it was issued after the newest request of its id was accepted',
        section: 'Replay',
        breaks: 'binding_moves_forward',
      },
      {
        name: 'bytes',
        rule: 'Bytes sent to an address that is not validated ≤ bytes received from it; a token proves no port',
        section: 'Addresses',
        breaks: 'no_amplification',
      },
      {
        name: 'token-ip',
        rule: 'A token counts from the ip that it was issued to',
        section: 'Tokens',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-id',
        rule: 'A token counts for the id that it was issued to',
        section: 'Tokens',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-epoch',
        rule: 'A token ends',
        section: 'Tokens',
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-stamp',
        rule: 'A token replaces a challenge, not the comparison of (ts, seq)',
        section: 'Tokens',
        breaks: 'binding_moves_forward',
      },
      {
        name: 'token-bound',
        rule: 'A token moves nobody who is bound elsewhere',
        section: 'Tokens',
        breaks: 'binding_moves_forward',
      },
    ],
  },
  {
    name: 'introduction',
    title: 'An introduction with a hello, by a relay that is the attacker',
    properties: [
      {
        name: 'requester_agrees',
        meaning: 'When A has a connection with B, B answered A, and both have the same keys',
      },
      {
        name: 'target_agrees',
        meaning: 'When B has a connection with A, A has one with B, and both have the same keys',
      },
      { name: 'one_key_one_pair', meaning: 'Two ends with the same keys name each other (no misbinding)' },
      { name: 'acts_only_when_dialled', meaning: 'B probes and answers only whom dialled B' },
      { name: 'acts_only_with_consent', meaning: 'B probes and answers only whom it lets in' },
    ],
    guards: [
      {
        name: 'requester-signature',
        rule: "T verifies R's signature in 0x112",
        section: 'Who sends what',
        breaks: 'acts_only_when_dialled',
      },
      {
        name: 'signed-target',
        rule: "R's signature covers the target",
        section: 'Signatures',
        breaks: 'acts_only_when_dialled',
      },
      {
        name: 'target-signature',
        rule: "R verifies T's signature in 0x115",
        section: 'Who sends what',
        breaks: 'requester_agrees',
      },
      {
        name: 'consent',
        rule: 'T decides before it probes and before its 0x114',
        section: 'Consent',
        breaks: 'acts_only_with_consent',
      },
      {
        name: 'prologue-ids',
        rule: 'Both ids are in the prologue of a hello',
        section: 'Hello',
        breaks: 'one_key_one_pair',
      },
      {
        name: 'answer-tag',
        rule: "R takes an answer only if its sealed part opens: not the echo of somebody else's hello",
        section: 'Hello',
        breaks: 'one_key_one_pair',
      },
      {
        name: 'new-ephemeral',
        rule: 'T uses an ephemeral key for one requester only',
        section: 'Hello',
        breaks: 'one_key_one_pair',
      },
      {
        name: 'confirmation',
        rule: "T's application sees nothing before the first genuine record of R",
        section: 'Hello',
        breaks: 'target_agrees',
      },
    ],
  },
  {
    name: 'replay',
    title: 'Introductions that are held back and repeated',
    properties: [
      {
        name: 'each_request_once',
        meaning:
          'T acts once on a request by a relay. After a new start that is so for what was signed before, by a clock that is not ahead',
      },
    ],
    guards: [
      {
        name: 'stamp',
        rule: '(ts, seq) grows, for each requester and relay',
        section: 'Replay',
        breaks: 'each_request_once',
      },
      {
        name: 'start',
        rule: "A first contact is not older than the verifier's own start",
        section: 'Replay',
        breaks: 'each_request_once',
      },
      {
        name: 'floor',
        rule: 'What a verifier forgets raises the floor for what it has forgotten',
        section: 'Replay',
        breaks: 'each_request_once',
      },
    ],
  },
  EARLY,
  {
    name: 'consent',
    title: "T's consent to a session, at an honest relay",
    properties: [
      {
        name: 'no_frame_before_consent',
        meaning: 'No channel frame of R reaches T in a session that T did not agree to',
      },
      { name: 'few_messages_before_consent', meaning: 'Nor do more messages (0x124) than the pair may send' },
      { name: 'only_ends_send', meaning: 'Nobody but the ends of a session sends in it' },
    ],
    guards: [
      {
        name: 'frame-consent',
        rule: "The relay forwards no channel frame of R before T's consent",
        section: 'Consent',
        breaks: 'no_frame_before_consent',
      },
      {
        name: 'budget-pair',
        rule: 'What goes to T without consent counts for the pair, over all of its sessions',
        section: 'Consent',
        breaks: 'few_messages_before_consent',
      },
      {
        name: 'session-ends',
        rule: "A frame counts only from the bound address of one of the session's ends",
        section: 'Who sends what',
        breaks: 'only_ends_send',
      },
      {
        name: 'ack-signature',
        rule: 'A 0x114 is consent to an introduced session only when its signature verified',
        section: 'Consent',
        breaks: 'no_frame_before_consent',
      },
      {
        name: 'ack-session',
        rule: 'A 0x114 is consent to the session that it names, and to no other of the pair',
        section: 'Consent',
        breaks: 'no_frame_before_consent',
      },
    ],
  },
  {
    name: 'glare',
    title: 'Glare: each dials the other, with a hello',
    properties: [
      {
        name: 'one_connection',
        meaning: 'When nothing is under way any more, both ends have a connection, with the same keys',
      },
    ],
    guards: [
      {
        name: 'glare',
        rule: "The smaller id's hello counts: the smaller answers without one, the larger drops its own",
        section: 'Hello',
        breaks: 'one_connection',
      },
      {
        name: 'glare-pending',
        rule: 'The larger dials without a hello while the hello of the smaller, which it answered, waits for its first record',
        section: 'Hello',
        breaks: 'one_connection',
      },
      {
        name: 'glare-drop',
        rule: 'When the smaller has an answer to its own hello, no record confirms the hello of the larger any more',
        section: 'Hello',
        breaks: 'one_connection',
      },
      {
        name: 'glare-settled',
        rule: "A dial that gave up its hello, or that the other end's hello settled, takes no answer",
        section: 'Hello',
        breaks: 'one_connection',
      },
    ],
  },
]
