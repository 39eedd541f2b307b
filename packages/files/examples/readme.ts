import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { FileSource, FolderTarget, receiveFiles, sendFiles } from '@showchain/files'

// Two peers in one program; in practice each is a program of its own.
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })
await using bob = await Peer.open({ identity: await generateIdentity(), ...local })

// Alice sends.
const folder = await mkdtemp(join(tmpdir(), 'files-'))
await writeFile(join(folder, 'notes.txt'), 'some notes\n')
const connection = await alice.connect(bob.ticket)
const source = await FileSource.of([join(folder, 'notes.txt')])
const sending = sendFiles(await connection.openStream(), source, {
  onProgress: ({ path, bytes, totalBytes }) => console.log(`${path}: ${bytes} of ${totalBytes} bytes`),
})

// Bob receives.
const into = await mkdtemp(join(tmpdir(), 'files-'))
for await (const incoming of bob.incoming) {
  const { value: stream } = await incoming.streams.next()
  await receiveFiles(stream, await FolderTarget.in(into), { accept: ({ bytes }) => bytes < 1e9 })
  break
}
await sending // Bob has everything, and has checked it
console.log(await readFile(join(into, 'notes.txt'), 'utf8'))
