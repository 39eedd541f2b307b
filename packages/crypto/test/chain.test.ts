/** A chain beside a list that does the same. */
import { Chain, type Link } from '@showchain/crypto/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

interface Item extends Link<Item> {
  readonly name: number
}

const item = (name: number): Item => ({ name, before: undefined, after: undefined })

/** From the oldest to the newest, and the other way round. */
function namesOf({ oldest }: Chain<Item>): readonly [number[], number[]] {
  const [forth, back]: [number[], number[]] = [[], []]
  let newest: Item | undefined
  for (let each = oldest; each !== undefined; each = each.after) {
    forth.push(each.name)
    newest = each
  }
  for (let each = newest; each !== undefined; each = each.before) back.push(each.name)
  return [forth, back]
}

test('items are in the order in which they came, whichever left', () => {
  const step = fc.record({ adds: fc.boolean(), at: fc.nat(20) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const chain = new Chain<Item>()
      const list: Item[] = []
      for (const [name, { adds, at }] of steps.entries()) {
        const known = list[at % Math.max(1, list.length)]
        if (adds || known === undefined) {
          const added = item(name)
          list.push(added)
          chain.add(added)
        } else {
          list.splice(list.indexOf(known), 1)
          chain.remove(known)
          expect([known.before, known.after]).toEqual([undefined, undefined])
        }
        const names = list.map((each) => each.name)
        expect(namesOf(chain)).toEqual([names, [...names].reverse()])
        expect(chain.oldest?.name).toBe(names[0])
      }
    }),
  )
})
