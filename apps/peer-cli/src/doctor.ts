/** `showchain doctor`: what keeps this host from being connected, a line for each thing, and what one can do. */
import { diagnose, type Finding } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { UnhealthyError, UsageError } from './failures.ts'
import { addressPolicyOf, ownIdentity, type PeerFlags, relaysOf } from './open-peer.ts'
import { outputFor } from './output.ts'
import { explained } from './waits.ts'

export type DoctorFlags = Pick<
  PeerFlags,
  'relay' | 'from' | 'identity' | 'passphraseFile' | 'lan' | 'lanDiscovery' | 'lab' | 'json'
>

const MARKS: Readonly<Record<Finding['verdict'], string>> = { good: 'ok ', bad: 'BAD', unknown: '?  ' }
/** What decides the exit code: with the others bad, peers still connect. */
const DECISIVE: readonly Finding['check'][] = ['udp', 'relay']
const INDENT = ' '.repeat(5)

/** @throws Reported: 1 the host is not reached as it should be, 2 no relay */
export async function doctor(flags: DoctorFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    const relays = relaysOf(flags)
    if (relays.length === 0) throw new UsageError('doctor needs a relay to ask: --relay or SHOWCHAIN_RELAY')
    const began = performance.now()
    // A relay has one binding of an identity: a new one takes it from no program that runs.
    const identity = await (flags.identity === undefined ? generateIdentity() : ownIdentity(flags))
    const lanDiscovery = flags.lanDiscovery !== false
    const diagnosing = diagnose({ identity, relays, addressPolicy: addressPolicyOf(flags), lanDiscovery })
    const findings = await explained(output, 'waiting for answers of the relays', diagnosing)
    for (const finding of findings) output.result('finding', shown(finding), { ...finding })
    const unconnected = findings.filter(({ check, verdict }) => verdict === 'bad' && DECISIVE.includes(check))
    if (unconnected.length > 0)
      throw new UnhealthyError(`this host is not reached as it should be: see above${hint(flags)}`)
    const seconds = Math.round(performance.now() - began) / 1000
    output.end({ bytes: { sent: 0, received: 0 }, seconds, path: undefined })
    await output.flushed()
  } catch (error) {
    throw output.failed(error)
  }
}

const hint = ({ identity }: DoctorFlags): string =>
  identity === undefined ? '; a relay that serves only some peers is asked in the name of one by --identity' : ''

const shown = ({ verdict, found, advice }: Finding): string =>
  [`${MARKS[verdict]}  ${found}`, ...(advice === undefined ? [] : [`${INDENT}${advice}`])].join('\n')
