/**
 * Which of the sockets on one address gets a datagram: a program of the kernel's classic BPF, which it runs
 * for each datagram over what follows the UDP header. What the program does not choose a socket for, the
 * kernel spreads by the addresses of both ends, as without a program (since Linux 4.19 at the latest).
 */
import { attach, type Instruction, OP_CODE } from './bpf.ts'
import { type Libc, SO_ATTACH_REUSEPORT_CBPF } from './libc.ts'

/** Datagrams that begin with a byte name the process that they are for, by its number and that of the first one. */
export interface Steering {
  readonly begins: number
  /** Shorter ones are spread. */
  readonly length: number
  /** Where the number is: two bytes, big-endian. */
  readonly at: number
  readonly first: number
}

/** No socket has this number. */
const NONE_OF_THEM = 0xffff_ffff

/** The instructions, of which each jump goes to the last one. */
function steeringProgram({ begins, length, at, first }: Steering): readonly Instruction[] {
  const { loadLength, loadByte, loadTwo, jumpAtLeast, jumpEqual, subtract, returnLoaded, returnValue } = OP_CODE
  const steps: readonly (Instruction & { readonly jumps?: boolean })[] = [
    { code: loadLength },
    // A load from behind the end would choose the first socket.
    { code: jumpAtLeast, value: length, jumps: true },
    { code: loadByte, value: 0 },
    { code: jumpEqual, value: begins, jumps: true },
    { code: loadTwo, value: at },
    // Of smaller numbers what is left is no socket's either.
    { code: subtract, value: first },
    { code: returnLoaded },
    { code: returnValue, value: NONE_OF_THEM },
  ]
  return steps.map(({ jumps, ...step }, index) =>
    jumps === true ? { ...step, ifNot: steps.length - 2 - index } : step,
  )
}

/** For all sockets on the address of this one. @returns whether the kernel does it */
export const steer = (libc: Libc, descriptor: number, steering: Steering): boolean =>
  attach(libc, descriptor, SO_ATTACH_REUSEPORT_CBPF, steeringProgram(steering))
