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

export const RELAY_WORKERS: readonly Mutant[] = [
  {
    name: 'relay/workers-usage',
    rule: 'What one worker used of a quota is counted once, and at all.',
    file: 'src/workers/shared-usage.ts',
    text: 'Math.max(0, known + bytes)',
    replacement: 'known',
  },
  {
    name: 'relay/workers-bounded',
    rule: 'For a worker that does not read, so many bytes wait and no more.',
    file: 'src/workers/bus-pipes.ts',
    text: ' || pipe.writableLength > MAX_WAITING_BYTES',
    replacement: '',
  },
  {
    name: 'relay/workers-garbage',
    rule: 'Who says what is no message on the bus of workers is not heard any more.',
    file: 'src/workers/bus-pipes.ts',
    text: 'if (length > MAX_FLEET_MESSAGE) return void pipe.destroy()',
    replacement: '',
  },
].map((mutant) => ({ ...mutant, folder: 'apps/relay', test: 'test/worker-parts.test.ts' }))

export const RELAY_USAGE: readonly Mutant[] = [
  {
    name: 'relay/usage-tag',
    rule: "What was used counts in a fleet only with a tag by the fleet's secret.",
    file: 'src/usage-share.ts',
    text: 'if (tag === undefined || !sameBytes(tag, this.#tag(key, text))) return undefined',
    replacement: 'if (tag === undefined) return undefined',
  },
  {
    name: 'relay/bans-join',
    rule: 'Bans that NATS keeps are those of all relays, and are not lost when one of them writes.',
    file: 'src/nats-bans.ts',
    text: 'if (kept !== undefined) await holder.learnBans(readCompact(kept))',
    replacement: '',
    test: 'test/nats-bans.test.ts',
  },
  {
    name: 'relay/bans-revision',
    rule: 'Of relays that write bans at the same time none undoes what another one wrote.',
    file: 'src/nats-bans.ts',
    text: 'await bucket.update(KEY, value, entry.revision)',
    replacement: 'await bucket.put(KEY, value)',
    test: 'test/nats-bans.test.ts',
  },
  {
    name: 'relay/bans-tag',
    rule: "Bans that NATS keeps count only with a tag by the fleet's secret.",
    file: 'src/nats-bans.ts',
    text: 'entry === null ? undefined : this.#shares.textOf(KEY, entry.string())',
    replacement: "entry === null ? undefined : entry.string().split('.').slice(1).join('.')",
    test: 'test/nats-bans.test.ts',
  },
  {
    name: 'relay/nats-bounded',
    rule: 'For a NATS server that does not read, so many bytes wait and no more.',
    file: 'src/nats-bus.ts',
    text: ' || pending.bytes + message.length > MAX_PENDING',
    replacement: '',
    test: 'test/nats-bus.test.ts',
  },
].map((mutant) => ({ test: 'test/nats-usage.test.ts', ...mutant, folder: 'apps/relay' }))
