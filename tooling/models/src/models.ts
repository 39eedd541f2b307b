/** Every model, property and guard: the tests, the README's tables and the command read this. */
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
        section: undefined,
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-id',
        rule: 'A token counts for the id that it was issued to',
        section: undefined,
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-epoch',
        rule: 'A token ends',
        section: undefined,
        breaks: 'bound_where_its_id_receives',
      },
      {
        name: 'token-stamp',
        rule: 'A token replaces a challenge, not the comparison of (ts, seq)',
        section: undefined,
        breaks: 'binding_moves_forward',
      },
      {
        name: 'token-newest',
        rule: 'A token counts if it was issued after the newest request with a cookie of its id was accepted',
        section: undefined,
        breaks: 'binding_moves_forward',
      },
    ],
  },
]
