/** `showchain contact`: names for peers. */
import { formatTicket, quote } from '@showchain/wire'
import { Contacts } from './contacts.ts'
import { UsageError } from './failures.ts'
import { reachedBy } from './last-seen.ts'
import { outputFor } from './output.ts'

export const ACTIONS = ['add', 'list', 'rename', 'remove'] as const
type Action = (typeof ACTIONS)[number]

/** The arguments that follow each action. */
const FOLLOWED_BY: Readonly<Record<Action, readonly string[]>> = {
  add: ['NAME', 'TICKET or ID'],
  list: [],
  rename: ['NAME', 'NEW NAME'],
  remove: ['NAME'],
}

/** @throws Reported */
export async function contact(
  action: string,
  given: readonly string[],
  flags: { readonly json?: boolean },
): Promise<void> {
  const output = outputFor(flags)
  try {
    const known = ACTIONS.find((each) => each === action)
    if (known === undefined) throw new UsageError(`contact takes ${ACTIONS.join(', ')}, not ${quote(action)}`)
    const wanted = FOLLOWED_BY[known]
    if (given.length !== wanted.length)
      throw new UsageError(`contact ${known} takes ${wanted.length === 0 ? 'nothing more' : wanted.join(' and ')}`)
    const [name = '', value = ''] = given
    const contacts = new Contacts()
    if (known === 'list')
      for (const [each, known] of contacts.all) {
        const reached = reachedBy(known)
        const ticket = reached && formatTicket(reached)
        output.result('contact', `${each}  ${ticket ?? known.id}`, { name: each, id: known.id, ticket })
      }
    else if (known === 'add') contacts.add(name, value)
    else if (known === 'rename') contacts.rename(name, value)
    else contacts.remove(name)
    await output.flushed()
  } catch (error) {
    throw output.failed(error)
  }
}
