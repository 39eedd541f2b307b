/** Rules of the sockets: what a kernel's errors may do to a node. */
import { inPackage, type Mutant } from '../mutant.ts'

export const CLIENT_SOCKETS: readonly Mutant[] = inPackage('client', [
  {
    name: 'no-fragments',
    rule: 'A batched socket sends no fragments.',
    file: 'src/runtime/batched/libc.ts',
    text: 'export const PMTUDISC_PROBE = 3',
    replacement: 'export const PMTUDISC_PROBE = 1',
    test: 'test/runtime/batched.test.ts',
  },
  {
    name: 'forged-icmp',
    rule: 'What ICMP says of a path does not make records smaller than an ordinary link takes.',
    file: 'src/core/connections/path-sizes.ts',
    text: 'Math.max(unfragmented, MAX_PROBED_DATAGRAM)',
    replacement: 'unfragmented',
    test: 'test/internet/mtu.test.ts',
    testFolder: 'packages/testkit',
  },
  {
    name: 'watched-after-errors',
    rule: 'A socket hears on after an error of its descriptor.',
    file: 'src/runtime/batched/batched-socket.ts',
    text: 'if (!this.#unwatched) this.#poll.start',
    replacement: 'if (errno === 0) this.#poll.start',
    test: 'test/runtime/batched.test.ts',
  },
  {
    name: 'dead-descriptor',
    rule: 'A descriptor that is none is not asked again and again.',
    file: 'src/runtime/batched/batched-socket.ts',
    text: 'this.#unwatched = errno === EBADF',
    replacement: 'this.#unwatched = false',
    test: 'test/runtime/batched.test.ts',
  },
  {
    name: 'other-losses',
    rule: 'A full buffer and a datagram that is too large do not look like another network.',
    file: 'src/runtime/dgram-socket.ts',
    text: "return 'sendBufferFull'",
    replacement: "return 'sendFailed'",
    test: 'test/runtime/batched.test.ts',
  },
  {
    name: 'cut-short',
    rule: 'A datagram that the kernel cut short is dropped.',
    file: 'src/runtime/batched/messages.ts',
    text: '(this.headers.readInt32LE(at + HEADER.flags) & MSG_TRUNC) !== 0',
    replacement: 'false',
    test: 'test/runtime/batched.test.ts',
  },
  {
    name: 'shared-alone',
    rule: 'Nobody else is bound to addresses that processes of one program share.',
    file: 'src/runtime/shared-sockets.ts',
    text: 'bindAll(listen, bind)',
    replacement: 'bindAll([{ host: listen[0]?.host ?? "", port: 0 }], bind)',
    test: 'test/runtime/shared-sockets.test.ts',
  },
])
