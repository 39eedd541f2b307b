/** The command line: every option, its help, and nothing else. */
import { RELAY_LIMITS } from '@showchain/server'
import { Command } from 'commander'
import { configFrom, DEFAULT_PORT, type Flags } from './config.ts'
import { serve } from './serve.ts'
import { version } from './version.ts'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const EXAMPLES = `
Every option can also come from the environment (SHOWCHAIN_RELAY_LISTEN, …; lists separated by commas) or from a
JSON or YAML file (--config; keys in camelCase: listen, publicAddress, peerKey, limits: {…}).
Flags win over the environment, the environment over the file. The passphrase of an encrypted
identity comes from --passphrase-file or from SHOWCHAIN_PASSPHRASE.

The first line on stdout is the relay's ticket; logs go to stderr.
SIGTERM and SIGINT finish what is in work (5 s at most) and end; a second one ends at once.

Limits (--limit name=value):
${Object.entries(RELAY_LIMITS)
  .map(([name, limit]) => `  ${name} (${limit.default}): ${limit.sentence}`)
  .join('\n')}

Exit codes: 0 ended as asked; 1 failed while running; 2 wrong arguments, configuration or key file.

Examples:
  showchain-relay --identity relay.pem --create-identity
  showchain-relay --identity relay.pem --listen 0.0.0.0:${DEFAULT_PORT} --public-address relay.example.org:${DEFAULT_PORT}
  showchain-relay --identity relay.pem --listen 127.0.0.1:0 --peer-key other.pub.pem --trace
  showchain-relay --config relay.yaml --metrics 127.0.0.1:9464`

export function program(): Command {
  return new Command('showchain-relay')
    .description('A relay for Show Chain peers: registers them, introduces them to each other, carries their data.')
    .version(version())
    .option('--config <file>', 'JSON or YAML file with any of these options')
    .option('--identity <file>', 'private key of the relay (PKCS#8 PEM), as `showchain keygen` makes it')
    .option('--create-identity', 'make the identity file when there is none')
    .option('--passphrase-file <file>', 'file with the passphrase of an encrypted identity')
    .option(
      '--listen <host:port>',
      `address to listen on, at most one of each family (0.0.0.0:${DEFAULT_PORT} and [::]:${DEFAULT_PORT})`,
      collect,
    )
    .option(
      '--public-address <host:port>',
      'address for the ticket, when peers reach the relay at another one',
      collect,
    )
    .option(
      '--stun-alternate <host:port>',
      'another address that answers STUN alone, so that peers learn what their NAT does; repeatable',
      collect,
    )
    .option('--peer-key <file>', 'public key (PEM) of a peer that speaks only the seed; repeatable', collect)
    .option('--limit <name=value>', 'one of the limits below; repeatable', collect)
    .option('--metrics <host:port>', 'serve /metrics (Prometheus) and /healthz over HTTP')
    .option('--log-level <level>', 'fatal, error, warn, info, debug or silent (info)')
    .option('--log-format <format>', 'pretty or json (pretty on a terminal, else json)')
    .option('--trace', 'show every message on stderr, one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(showchain-relay --help shows all options)')
    .allowExcessArguments(false)
    .exitOverride()
    .action(async (flags: Flags) => serve(await configFrom(flags, process.env)))
}
