/** Rules of the relay's program: what its port for operators answers, and to whom. */
import type { Mutant } from '../mutant.ts'

export const RELAY_PROGRAM: readonly Mutant[] = [
  {
    name: 'relay/page-host',
    rule: 'The status page answers to addresses and localhost, not to the name of another site.',
    text: 'forPage !== undefined && !namesAddress(request)',
    replacement: 'forPage !== undefined && request.headers.host === undefined',
  },
  {
    name: 'relay/read-only',
    rule: "The operators' port is read and nothing else.",
    text: "request.method !== 'GET' && request.method !== 'HEAD'",
    replacement: "request.method === ''",
  },
  {
    name: 'relay/page-policy',
    rule: 'What browsers get may load nothing from elsewhere.',
    text: '...(forPage === undefined ? {} : PAGE_HEADERS)',
    replacement: '...{}',
  },
].map((mutant) => ({ ...mutant, folder: 'apps/relay', file: 'src/http.ts', test: 'test/http.test.ts' }))
