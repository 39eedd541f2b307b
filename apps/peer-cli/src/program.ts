/**
 * The command line: commands, options and their help. What a command does is imported when it is
 * run, so that the others start without it.
 */
import { createRequire } from 'node:module'
import { type Command, Option } from 'commander'
import { DEAD_AFTER, defaultIdentity } from './defaults.ts'
import { IdCommand } from './id-command.ts'
import { prepare } from './prepare.ts'

const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string }

/**
 * The values of a repeatable option. Variadic options would take `connect`'s argument for a value.
 */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const JSON_EVENTS = 'print every event on stdout (with --pipe and by stdio on stderr), one JSON object a line'
const AS_ME = 'use the default identity, as `showchain listen` does'

/** Of the option, or all of the environment variable. */
const relays = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(/\s+/).filter((ticket) => ticket !== ''),
]

const IDENTITY = `private key (PKCS#8 PEM); default ${defaultIdentity({ XDG_CONFIG_HOME: '$XDG_CONFIG_HOME' })}`

/** Broken for 80 columns by hand: commander wraps all but this. */
const AFTER = `
The passphrase of an encrypted identity comes from --passphrase-file or from
SHOWCHAIN_PASSPHRASE.
Connections are encrypted and authenticated end to end: neither a relay nor a
network on the path can read or alter the data. --plaintext disables this, for
implementations of the base protocol only; both ends need it.
SHOWCHAIN_RELAY has the tickets of relays, for --relay.

Exit codes:
  0  everything was delivered, and received to its end
  1  something was not: the remote peer ended or is silent, stdout was closed;
     the local port is in use; doctor: UDP does not get out, or a relay does
     not register this host
  2  wrong arguments, configuration, key file, contacts, ticket or code
  3  could not register or connect; the code was another one, was used or has
     run out; the remote peer is busy or says no, its target refused, or it
     answers no ping
  4  ping: the remote peer answers, and only through a relay
  129, 130 or 143 when SIGHUP, SIGINT or SIGTERM came before everything was
     transferred

Examples:
  a folder, from one host to another, with the relay in SHOWCHAIN_RELAY:
    showchain send photos
    showchain receive 7-orbit-velvet
  a server of one host, at port 2222 of another:
    showchain serve tcp://127.0.0.1:22
    showchain forward 2222 'showchain:<id>?relay=…'
  lines; once on the host that listens:
    showchain keygen
    showchain listen --relay 'showchain:<relay>?addr=relay.example.org:4400'
  on the other host, with the ticket that this prints:
    showchain connect 'showchain:<id>?relay=…'
    echo hello | showchain connect --via relay-only 'showchain:<id>?relay=…'
  a file, while the other host runs showchain listen --pipe > file:
    showchain connect --pipe 'showchain:<id>?relay=…' < file`

/** The options of the commands that open a peer. */
function withPeerOptions(command: Command): Command {
  const local = command
    .option('--identity <file>', IDENTITY)
    .option(
      '--ephemeral',
      'use a new identity for this run only; all but `listen` and `serve` do so unless told otherwise',
    )
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option('--host <ip>', 'local IP address (default: all)')
    .option('--port <n>', 'local port (default: any free one)')
  return withNetworkOptions(local)
    .option('--no-port-mapping', 'do not ask the router to let everybody in at the port (PCP, NAT-PMP, UPnP)')
    .option('--keep-alive <ms>', 'milliseconds without traffic before a keep-alive is sent (default 15000)')
    .option('--timeout <seconds>', 'how long to wait for a registration or a connection (default 25)')
    .option(
      '--dead-after <seconds>',
      `how long the remote peer may be silent; a third of it while something is unacknowledged (default ${DEAD_AFTER})`,
    )
    .option('--json', JSON_EVENTS)
    .option('--trace', 'print every message on stderr, one JSON object a line')
    .option('--qlog <file>', 'record the connection as qlog 0.3 (further ones in <file>.2, <file>.3, …)')
}

/** The options of the commands that also know the base protocol. */
function withSeedOptions(command: Command): Command {
  return command
    .option('--plaintext', 'no encryption: relays and networks on the path can read and alter the data')
    .option('--peer-key <file>', 'public key (PEM) of a peer or relay that runs in seed mode; repeatable', collect)
    .addOption(new Option('--encoding <encoding>', 'encoding of requests: binary or json').default('binary'))
    .option('--seed-mode', 'send no extension fields: the base protocol only (needs --peer-key at both ends)')
}

/** The options of `listen` and `connect`, which carry lines or bytes. */
function withTalkOptions(command: Command): Command {
  return withSeedOptions(command)
    .option('--pipe', 'bytes instead of lines: send stdin to the remote peer, and write what it sends to stdout')
    .option('--send-only', 'with --pipe: send stdin, also from a terminal, and take nothing')
    .option('--recv-only', 'with --pipe: send nothing')
}

const withRelayOption = (command: Command): Command =>
  command.addOption(
    new Option('--relay <ticket>', 'relay to register with; repeatable').env('SHOWCHAIN_RELAY').argParser(relays),
  )

/** Which addresses may be sent to, and where peers are looked for. */
const withNetworkOptions = (command: Command): Command =>
  command
    .option('--lan', 'allow addresses of private networks in tickets, as of hosts of one network')
    .option('--lab', 'allow loopback, private and documentation addresses, as used in test networks')
    .addOption(
      new Option(
        '--no-lan-discovery',
        'do not look for peers on private networks of this host, nor be found there by id',
      ).env('SHOWCHAIN_NO_LAN_DISCOVERY'),
    )

/** The options of the commands that print a ticket and wait. */
function withWaitOptions(command: Command): Command {
  return withRelayOption(command)
    .option(
      '--addr <host:port>',
      'address for the ticket, when others reach this host at a different one; repeatable',
      collect,
    )
    .option('--allow <id>', 'peer that may connect, or the name of a contact; repeatable (default: any peer)', collect)
    .addOption(
      new Option(
        '--policy <policy>',
        'paths to use: auto, direct-only or relay-only (hides the address of this host)',
      ).default('auto'),
    )
}

/** The options of the commands that wait with a code. */
function withCodeOptions(command: Command): Command {
  return command
    .option('--ticket', 'print the ticket, also where a relay has a mailbox that gives codes')
    .option('--qr', 'print the ticket, and on a terminal its QR code')
}

/** The options of the commands that connect to the peer of a ticket. */
function withCallOptions(command: Command): Command {
  return command
    .option('--as-me', AS_ME)
    .addOption(
      new Option(
        '--via <way>',
        'paths to use: auto, direct-only or relay-only (hides the address of this host); or a single attempt: direct, punch',
      ).default('auto'),
    )
}

/** @param writeOut takes what --help and --version print */
export function program(writeOut: (text: string) => void): Command {
  const root = new IdCommand('showchain')
    .configureOutput({ writeOut })
    .description('Connect to another peer, directly or through a relay.')
    .version(version)
    .addHelpText('after', AFTER)
    .showHelpAfterError('(showchain --help shows all commands)')
    .exitOverride()
    .hook('preAction', (_root, command) => prepare(command))
  root
    .command('keygen')
    .description('create an identity and print its id; an existing file is never overwritten')
    .addOption(new Option('--bits <n>', '2048, 3072 or 4096').default('2048'))
    .option('--out <file>', 'file to write; default as for --identity')
    .option('--passphrase-file <file>', 'file with a passphrase to encrypt the identity with (or SHOWCHAIN_PASSPHRASE)')
    .action(async (flags) => (await import('./keys.ts')).keygen(flags))
  root
    .command('id')
    .description('print the id of an identity')
    .option('--identity <file>', IDENTITY)
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option('--pem', 'print the public key instead, for the --peer-key of others')
    .option('--qr', 'on a terminal, print its QR code too')
    .action(async (flags) => (await import('./keys.ts')).printId(flags))
  withCodeOptions(withWaitOptions(withPeerOptions(root.command('send'))))
    .description('send files, folders or a text; prints what the receiver runs, and ends when it has everything')
    .argument('[path...]', 'files and folders')
    .option('--text <text>', 'a text instead, which the receiver prints')
    .option(
      '--to <code>',
      'to a receiver that waits: the code or ticket that `showchain receive --wait` printed, or a contact',
    )
    .option('--as-me', AS_ME)
    .action(async (paths, flags) => (await import('./send.ts')).send(paths, flags))
  withCodeOptions(withWaitOptions(withCallOptions(withPeerOptions(root.command('receive')))))
    .description('receive what `showchain send` offers; asks before anything is written')
    .argument('[code...]', 'the code or ticket that `showchain send` printed on the other host')
    .option('--wait', 'wait for a sender instead, and print a code or ticket for its --to')
    .addOption(new Option('--out <folder>', 'folder to write into').default('.'))
    .option('--yes', 'take what is offered without asking')
    .option('--force', 'replace files that are there, and merge folders')
    .action(async (code, flags) => (await import('./receive.ts')).receive(code, flags))
  withWaitOptions(withTalkOptions(withPeerOptions(root.command('listen'))))
    .description(
      'accept connections; the first line on stdout (with --pipe on stderr) is the ticket that others connect with',
    )
    .option('--echo', 'send every line back')
    .option('--keep', 'with --pipe: receive from one peer after the other, until a signal')
    .action(async (flags) => (await import('./listen.ts')).listen(flags))
  withCallOptions(withTalkOptions(withPeerOptions(root.command('connect'))))
    .description('connect to the peer that a ticket names, and send it the lines of stdin')
    .argument('<ticket>', 'the ticket that `showchain listen` printed on the other host')
    .addOption(
      new Option(
        '--linger <seconds>',
        'how long to stay connected after the last line was acknowledged or received',
      ).default('1'),
    )
    .action(async (ticket, flags) => (await import('./connect.ts')).connect(ticket, flags))
  withCallOptions(withSeedOptions(withPeerOptions(root.command('ping'))))
    .description('measure round trips to the peer of a ticket; ends with 0 when the path is direct, 4 when it is not')
    .argument('<ticket>', 'the ticket that the other host printed')
    .option('-c, --count <n>', 'pings, one in a second (default 4; with --until-direct 20 at most)')
    .option('--until-direct', 'end with the first answer on a direct path')
    .action(async (ticket, flags) => (await import('./ping.ts')).ping(ticket, flags))
  withNetworkOptions(withRelayOption(root.command('doctor')))
    .description(
      'tell what keeps this host from being connected, and what one can do; ends with 1 when UDP or a relay fails',
    )
    .option('--identity <file>', 'private key to ask with, for relays that serve only some peers (default: a new one)')
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option('--json', JSON_EVENTS)
    .action(async (flags) => (await import('./doctor.ts')).doctor(flags))
  withWaitOptions(withPeerOptions(root.command('serve')))
    .description('let other peers reach a server of this host; prints the ticket that they do it with')
    .argument('<target>', 'tcp://host:port, udp://host:port or unix:PATH: what is reached, and nothing else')
    .action(async (target, flags) => (await import('./serve.ts')).serve(target, flags))
  withCallOptions(withPeerOptions(root.command('forward')))
    .description('listen on this host, and carry what connects to what the remote peer serves')
    .argument('<local>', 'tcp://host:port, udp://host:port or unix:PATH; a number is a TCP port of 127.0.0.1')
    .argument('<ticket>', 'the ticket that `showchain serve` printed on the other host')
    .action(async (local, ticket, flags) => (await import('./forward.ts')).forward(local, ticket, flags))
  withCallOptions(withPeerOptions(root.command('stdio')))
    .description('carry stdin and stdout as one connection to what the remote peer serves, as a ProxyCommand of ssh')
    .argument('<ticket>', 'the ticket that `showchain serve` printed on the other host')
    .action(async (ticket, flags) => (await import('./proxy.ts')).stdio(ticket, flags))
  root
    .command('contact')
    .description('keep names for peers: any command takes one in place of a ticket, and --allow of an id')
    .argument('<action>', 'add NAME TICKET (or an id), list, rename NAME NEW-NAME, or remove NAME')
    .argument('[name...]', 'what the action takes')
    .option('--json', JSON_EVENTS)
    .action(async (action, values, flags) => (await import('./contact.ts')).contact(action, values, flags))
  root
    .command('status')
    .description('tell which showchain programs of this user run on this host, with their paths and round trips')
    .option('--json', JSON_EVENTS)
    .action(async (flags) => (await import('./status.ts')).status(flags))
  root
    .command('completion')
    .description('print a script that completes commands, options and their values in a shell')
    .argument('<shell>', 'bash, zsh or fish: eval "$(showchain completion bash)"')
    .action(async (shell) => (await import('./completion/completion.ts')).completion(shell, root))
  root
    .command('complete', { hidden: true })
    .argument('<kind>')
    .argument('<word>')
    .action(async (kind, word) => (await import('./completion/words.ts')).complete(kind, word))
  root
    .command('man')
    .description('print the manual page: showchain man | man -l -')
    .action(async () => (await import('./completion/completion.ts')).man(root, AFTER))
  root
    .command('help')
    .description('display help for command')
    .argument('[command]')
    .action(async (name: string | undefined) => {
      const named = name === undefined ? root : root.commands.find((command) => command.name() === name)
      named?.help()
      // commander's own `help` prints all of the help for a name that there is not.
      await root.parseAsync([name as string], { from: 'user' })
    })
  for (const command of root.commands)
    command
      .allowExcessArguments(false)
      .showHelpAfterError(`(showchain ${command.name()} --help shows all options)`)
      .exitOverride()
  return root
}
