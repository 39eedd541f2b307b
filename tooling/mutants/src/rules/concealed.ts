/** Rules about ends that show no address: docs/protocol.md, Concealed ends. */
import { inPackage, type Mutant } from '../mutant.ts'

const OF_PEERS = inPackage('client', [
  {
    name: 'concealed-relay',
    rule: 'A dial by relays alone asks for no introduction at a relay that would pass its address on.',
    file: 'src/core/peer/dial.ts',
    text: 'const may = concealed ? registration.conceals : registration.introduces',
    replacement: 'const may = registration.introduces',
    test: 'test/punch/concealed.test.ts',
  },
  {
    name: 'concealed-answer',
    rule: 'A peer that is relay-only answers an introduction only where the relay passes no address on.',
    file: 'src/core/punch/punch-responder.ts',
    text: ' || !registration.conceals',
    replacement: '',
    test: 'test/punch/concealed.test.ts',
  },
  {
    name: 'concealed-fields',
    rule: 'What says that an address is not to be passed on says nothing of where its sender is.',
    file: 'src/core/punch/candidates.ts',
    text: 'if (concealed) return { ext: { key: context.spki, caps: CAPS.concealed } }',
    replacement: '',
    test: 'test/punch/concealed.test.ts',
  },
  {
    name: 'concealed-probes',
    rule: 'An end that shows no address sends no probe.',
    file: 'src/core/punch/punch-responder.ts',
    text: 'if (concealed || needless',
    replacement: 'if (needless',
    test: 'test/punch/concealed.test.ts',
  },
])

const OF_RELAYS = inPackage('server', [
  {
    name: 'concealed-requester',
    rule: 'A relay passes on no address of a requester that is concealed.',
    file: 'src/core/rendezvous.ts',
    text: '...(concealed ? NOWHERE : at(source)), session',
    replacement: '...at(source), session',
    test: 'test/rendezvous.test.ts',
  },
  {
    name: 'concealed-target',
    rule: 'A relay passes on no address of a target where one of both is concealed.',
    file: 'src/core/rendezvous.ts',
    text: 'isConcealed(punch.request.ext) || isConcealed(ext)',
    replacement: 'isConcealed(ext)',
    test: 'test/rendezvous.test.ts',
  },
  {
    name: 'concealed-local',
    rule: 'A relay passes on no host candidates where one of both is concealed.',
    file: 'src/core/rendezvous.ts',
    text: '!concealed && (to.source',
    replacement: '(to.source',
    test: 'test/rendezvous.test.ts',
  },
  {
    name: 'concealed-same',
    rule: 'A relay does not say that two ends share an address where one of both is concealed.',
    file: 'src/core/rendezvous.ts',
    text: 'if (!concealed && requester.source.ip',
    replacement: 'if (requester.source.ip',
    test: 'test/rendezvous.test.ts',
  },
])

export const CONCEALED: readonly Mutant[] = [...OF_PEERS, ...OF_RELAYS]
