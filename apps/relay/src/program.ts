/** The command line: every option, its help, and nothing else. */
import { RELAY_LIMITS } from '@showchain/server'
import { type Command, Help, Option } from 'commander'
import { type Config, configFrom, DEFAULT_PORT, UsageError } from './config.ts'
import { ctlCommand } from './ctl.ts'
import { IdCommand } from './id-command.ts'
import { serve } from './serve.ts'
import { tokenCommand } from './token.ts'
import { version } from './version.ts'

const ENVIRONMENT_PREFIX = 'SHOWCHAIN_RELAY_'

/** Columns of a terminal, as of the options above the notes. */
const COLUMNS = 80

/** `  name (default): sentence`, its further lines indented. */
function limitLine([name, limit]: readonly [string, { readonly default: number; readonly sentence: string }]): string {
  const [first = '', ...more] = new Help()
    .boxWrap(`${name} (${limit.default}): ${limit.sentence}`, COLUMNS - 4)
    .split('\n')
  return [`  ${first}`, ...more.map((line) => `    ${line}`)].join('\n')
}

const NOTES = `
Options come from flags, from the environment, and from a JSON or YAML file
(--config), whose keys are in camelCase: listen, publicAddress, peerKey,
limits: {…}. Flags win over the environment, the environment over the file;
limits are overridden one by one. An option with … may be repeated; in the
environment its values are separated by commas. The passphrase of an encrypted
identity comes from --passphrase-file or from SHOWCHAIN_PASSPHRASE.

The first line on stdout is the relay's ticket; logs go to stderr.
On SIGTERM or SIGINT the relay drains: it tells registered peers, which leave
for another relay, refuses new requests, and forwards until nothing goes on for
2 s (--drain-seconds at most). A second signal ends it at once. On SIGHUP it
reads its configuration again, and takes access, quotas, limits, the level of
its log and the certificate for WebSocket from it.

With --access token it serves who has a ticket of it that
\`showchain-relay token\` made, and who is allowed.

Quotas (--quota name=size, with k, M, G or T): bytes that may be sent through
the relay by one id (idDay, idMonth), from one IPv4 address or IPv6 /64
(sourceDay, sourceMonth), and in all (totalDay, totalMonth), on a day or in a
month (UTC); rate is bytes per second in all, which sources share fairly.
atCap=introduce-only (default) goes on introducing who has used up its quota;
atCap=refuse does not serve it.

Limits (--limit name=value):
${Object.entries(RELAY_LIMITS).map(limitLine).join('\n')}

Exit codes:
  0  ended by a signal
  1  failed while running; the port is in use
  2  wrong arguments, configuration or key file; ctl: it was not done

Examples:
  showchain-relay --identity relay.pem --create-identity
  showchain-relay --identity relay.pem --public-address relay.example.org:${DEFAULT_PORT}
  showchain-relay --identity relay.pem --listen 127.0.0.1:0 --trace
  showchain-relay --config relay.yaml --metrics 127.0.0.1:9464
  showchain-relay --identity relay.pem --node 3 --fleet-secret fleet.secret \\
    --fleet nats://10.0.0.1 nats://10.0.0.2`

/** An option that the environment may give as well: `--log-level` as SHOWCHAIN_RELAY_LOG_LEVEL. */
function option(flags: string, description: string): Option {
  const made = new Option(flags, description)
  return made.env(`${ENVIRONMENT_PREFIX}${made.name().replaceAll('-', '_').toUpperCase()}`)
}

const HINT = '(showchain-relay --help shows all options)'

/** commander's own prints all of the help for a name that there is not. */
function helpCommand(root: Command): Command {
  return new IdCommand('help')
    .description('Display help for a command.')
    .argument('[command]')
    .exitOverride()
    .action((name: string | undefined) => {
      const named = name === undefined ? root : root.commands.find((command) => command.name() === name)
      return named === undefined ? unknown(root, name as string) : named.help()
    })
}

/** A first argument that is no command. @throws CommanderError, which has said so, and what may have been meant */
async function unknown(root: Command, name: string): Promise<never> {
  // commander looks for near names where there are commands alone: a relay's own action takes any argument.
  const commands = new IdCommand(root.name()).showHelpAfterError(HINT).exitOverride()
  for (const command of root.commands) commands.addCommand(command)
  await commands.parseAsync([name], { from: 'user' })
  throw new UsageError(`there is no command ${name}`)
}

/** @param run gets the checked configuration. */
export function program(run: (config: Config, again: () => Promise<Config>) => Promise<void> = serve): Command {
  const command = new IdCommand('showchain-relay')
    .description(
      'A relay for Show Chain peers: registration, rendezvous for hole punching, and forwarding of their data.',
    )
    .version(version)
  for (const each of [
    option('--config <file>', 'JSON or YAML file with any of these options'),
    option('--identity <file>', 'private key of the relay (PKCS#8 PEM), as `showchain keygen` makes it'),
    option('--create-identity', 'create the identity file if it does not exist'),
    option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity'),
    option(
      '--listen <host:port...>',
      `address to listen on, at most one of each family (default 0.0.0.0:${DEFAULT_PORT} and [::]:${DEFAULT_PORT})`,
    ),
    option('--public-address <host:port...>', 'address for the ticket, when peers reach the relay at a different one'),
    option(
      '--stun-alternate <host:port...>',
      'further address that answers STUN only, so that peers can discover their NAT',
    ),
    option('--websocket <host:port>', 'also take WebSocket connections, from peers without UDP'),
    option('--websocket-cert <file>', 'certificate chain (PEM) for them; without one a proxy before it ends TLS'),
    option('--websocket-key <file>', 'its private key (PEM)'),
    option('--websocket-origin <site...>', 'site whose pages may connect: https://example.org, or * for any'),
    option('--trusted-proxy <address...>', 'address or subnet of such a proxy: its X-Forwarded-For is believed'),
    option('--peer-key <file...>', 'public key (PEM) of a peer that runs in seed mode'),
    option('--mailbox', 'also run a mailbox, so that peers find each other by short codes'),
    option(
      '--access <who>',
      'who may use it: everyone (default), ids (--allow), token (see below), http (--access-url)',
    ),
    option('--allow <id...>', 'peer that may use it where not everyone may'),
    option('--access-url <url>', 'service that is asked whether a peer may use it'),
    option('--quota <name=size...>', 'what peers may send through it: idDay=5G, rate=20M, …; see below'),
    option('--usage <folder>', 'keep there what was used of quotas, over restarts; `nats`: by the fleet, in its NATS'),
    option('--control <path>', 'Unix socket for `showchain-relay ctl`, which only this user can use'),
    option('--workers <number>', 'processes that share its port, to use as many cores (Linux; default 1)'),
    option('--fleet <url...>', 'NATS server that joins it with the other relays of its fleet: nats://host:port'),
    option('--node <number>', 'its number in the fleet, which no other relay has'),
    option('--fleet-secret <file>', '32 bytes in hexadecimal or base64 that all relays of the fleet have (mode 0600)'),
    option('--fleet-credentials <file>', 'creds file or nkey seed for NATS (mode 0600)'),
    option('--limit <name=value...>', 'one of the limits below').env(`${ENVIRONMENT_PREFIX}LIMITS`),
    option('--metrics <host:port>', 'serve /metrics (Prometheus), /healthz, /readyz and a status page over HTTP'),
    option('--drain-seconds <seconds>', 'how long it goes on at most after a signal (default 30)'),
    option('--log-level <level>', 'fatal, error, warn, info (default), debug or silent'),
    option('--log-format <format>', 'pretty or json (default: pretty on a terminal, otherwise json)'),
    option('--trace', 'print every message on stderr, one JSON object a line'),
  ])
    command.addOption(each)
  return command
    .addHelpText('after', NOTES)
    .showHelpAfterError(HINT)
    .allowExcessArguments()
    .exitOverride()
    .addCommand(ctlCommand())
    .addCommand(tokenCommand())
    .addCommand(helpCommand(command))
    .action(async () => {
      const [name] = command.args
      if (name !== undefined) return unknown(command, name)
      await run(await configFrom(command), () => configFrom(command))
    })
}
