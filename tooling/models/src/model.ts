/** A model: what holds in every state that it can reach, and the guards without which it does not. */

export interface Property {
  /** As the model writes it: the property that a failed run names. */
  readonly name: string
  readonly meaning: string
}

export interface Guard {
  /** Unique among all models. Without it the model is compiled with `-DNO_…` of that name. */
  readonly name: string
  /** The rule that it stands for. */
  readonly rule: string
  /** Heading of docs/protocol.md that has the rule. */
  readonly section: string
  /** Name of the property that does not hold without it. */
  readonly breaks: string
}

export interface Model {
  /** Unique; the file is promela/NAME.pml. */
  readonly name: string
  readonly title: string
  readonly properties: readonly Property[]
  readonly guards: readonly Guard[]
}

/** The switch that takes a guard out. */
export const switchOf = (guard: Guard): string => `NO_${guard.name.toUpperCase().replaceAll('-', '_')}`
