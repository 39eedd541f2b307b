/** The command line: every command and option, its help, and nothing else. */
import { Command, Option } from 'commander'
import { defaultIdentity } from './identity.ts'
import { keygen, printId } from './keys.ts'
import { connect, listen } from './talk.ts'
import { version } from './version.ts'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const IDENTITY = `private key (PKCS#8 PEM); default ${defaultIdentity({ XDG_CONFIG_HOME: '$XDG_CONFIG_HOME' })}`

const AFTER = `
The passphrase of an encrypted identity comes from --passphrase-file or from SHOWCHAIN_PASSPHRASE.
What is said is protected from end to end: nobody on the way, a relay included, can read or alter it. --plaintext gives that
up, for implementations that speak only the seed; it is needed at both ends.

Exit codes: 0 done, also when ended by SIGINT or SIGTERM; 1 failed while running; 2 wrong arguments, key file or
ticket; 3 could not register or connect.

Examples:
  showchain keygen                                            once
  showchain listen --relay 'showchain:<relay>?addr=relay.example.org:4400'
  showchain connect 'showchain:<id>?relay=…'                  at the other end
  showchain connect --pipe 'showchain:<id>?relay=…' < file    when the other end runs listen --pipe > file
  echo hello | showchain connect --ephemeral --via relay-only 'showchain:<id>?relay=…'`

/** The options of the commands that open a peer. */
function withPeerOptions(command: Command): Command {
  return command
    .option('--identity <file>', IDENTITY)
    .option('--ephemeral', 'use a new identity, just for this run')
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option('--plaintext', 'no protection: data that relays and networks on the way can read and alter')
    .option('--pipe', 'bytes instead of lines: stdin to the other end, what comes from there to stdout')
    .option('--host <ip>', 'local address (all)')
    .option('--port <n>', 'fixed local port (any free one)')
    .option('--peer-key <file>', 'public key (PEM) of a peer or relay that speaks only the seed; repeatable', collect)
    .addOption(new Option('--encoding <encoding>', 'of our requests: binary or json').default('binary'))
    .option('--seed-mode', 'send no extension fields: only the seed (needs --peer-key at both ends)')
    .option('--lab', 'allow loopback, private and documentation addresses, as test labs have them')
    .option('--keep-alive <ms>', 'milliseconds of silence after which a path is kept alive (15000)')
    .option('--timeout <seconds>', 'how long to wait for a registration or a connection (25)')
    .option('--json', 'every event as one JSON object a line on stdout')
    .option('--trace', 'show every message on stderr, one JSON object a line')
}

export function program(): Command {
  const root = new Command('showchain')
    .description('Talk to another peer, directly or through a relay.')
    .version(version())
    .addHelpText('after', AFTER)
    .showHelpAfterError('(showchain --help shows all commands)')
    .exitOverride()
  root
    .command('keygen')
    .description('make an identity and print its id; never overwrites one')
    .addOption(new Option('--bits <n>', '2048, 3072 or 4096').default('2048'))
    .option('--out <file>', `where to write it; default as for --identity`)
    .option('--passphrase-file <file>', 'encrypt it with the passphrase in this file (or in SHOWCHAIN_PASSPHRASE)')
    .action(keygen)
  root
    .command('id')
    .description('print the id of an identity')
    .option('--identity <file>', IDENTITY)
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option('--pem', 'print the public key instead, for the --peer-key of others')
    .action(printId)
  withPeerOptions(root.command('listen'))
    .description('wait for others; the first line on stdout is the ticket to give to them')
    .option('--relay <ticket>', 'relay to register with; repeatable', collect)
    .option(
      '--addr <host:port>',
      'address for the ticket, when others reach this host at another one; repeatable',
      collect,
    )
    .option('--allow <id>', 'who may connect; repeatable (everybody)', collect)
    .addOption(
      new Option(
        '--policy <policy>',
        "which paths: auto, direct-only or relay-only (hides this end's address)",
      ).default('auto'),
    )
    .option('--echo', 'send every message back')
    .action(listen)
  withPeerOptions(root.command('connect'))
    .description('connect to the peer of a ticket, and send the lines of stdin')
    .argument('<ticket>', 'what `showchain listen` printed at the other end')
    .addOption(
      new Option(
        '--via <way>',
        "which paths: auto, direct-only or relay-only (hides this end's address); or one try: direct, punch",
      ).default('auto'),
    )
    .addOption(
      new Option('--linger <seconds>', 'stay so long after the last line was acknowledged or came in').default('1'),
    )
    .action(connect)
  for (const command of root.commands)
    command
      .allowExcessArguments(false)
      .showHelpAfterError(`(showchain ${command.name()} --help shows all options)`)
      .exitOverride()
  return root
}
