import type { ChildProcess } from 'node:child_process'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program's lines as they come. */
export declare class Lines {
  constructor(stream: NodeJS.ReadableStream)
  readonly all: readonly string[]
  /**
   * The first line that matches, also when it has come already; rejects when the stream ends
   * without one.
   */
  line(pattern: RegExp): Promise<string>
}

export declare class Program {
  /** @param environment all that the program sees beside PATH and this run's SHOWCHAIN_UDP. */
  constructor(bin: string, args: readonly string[], environment?: Readonly<Record<string, string>>)
  /** A line of bash, for redirections and fifos: `exec` lets signals reach the program. */
  static shell(line: string, environment?: Readonly<Record<string, string>>): Program
  /** A line of the shell on a pseudo-terminal of its own (util-linux `script`). */
  static terminal(line: string, environment?: Readonly<Record<string, string>>): Program
  readonly child: ChildProcess
  readonly stdout: Lines
  readonly stderr: Lines
  /** Writes a line to its stdin. */
  type(line: string): void
  ended(): Promise<Ended>
  kill(): void
}

/** A temporary folder of its own for each test file. */
export declare class Folder {
  readonly path: string
  file(name: string): string
  /** @param mode default 0600. */
  write(name: string, content: string, mode?: number): string
  remove(): void
}
