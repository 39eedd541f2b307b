interface Import {
  specifier: string
  target: string | undefined
}
type Graph = Map<string, Import[]>
export function importsOf(text: string): string[]
export function importGraph(sources: Map<string, string>, entries: Map<string, string>): Graph
export function circles(graph: Graph): string[][]
export function upwardImports(graph: Graph, chapters: Record<string, string[][]>): string[]
export function foreignEntries(graph: Graph, entries: Record<string, Record<string, string[]>>): string[]
