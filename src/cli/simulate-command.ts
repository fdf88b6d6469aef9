/** The options and help text of `ehi-gateway simulate`. */
import type { Command } from 'commander';
import type { Finish } from './finish.ts';
import type { SimulateOptions } from './simulate-options.ts';

const notes = `
Sends messages as Thredd's EHI does: authorisations, presentments, reversals and cut-offs with made-up content (no card
number). Each is sent when it is due, whether those before it were answered or not. A message that is not answered in
time with Acknowledgement 1 is sent again, as EHI does.

Exit codes: 0 every message was acknowledged, 1 at least one was not, 64 usage, 69 the URL cannot be reached.

Examples:
  ehi-gateway simulate https://ehi.example.com/ --ca root.pem --cert client.pem --key client.key --rate 50
  ehi-gateway simulate http://127.0.0.1:8080/ --rate 5 --duration 10s --format soap     # a host without TLS`;

export function addSimulate(program: Command, finish: Finish): void {
  program
    .command('simulate')
    .description('Send EHI messages at a fixed rate, as Thredd does, and report the results.')
    .argument('<url>', 'where messages are sent: https, or http for a host without TLS')
    .option(
      '--ca <file>',
      'the authorities that the server certificate is checked with (PEM or DER); else the system’s',
    )
    .option('--cert <file>', 'the client certificate and its intermediates (PEM)')
    .option('--key <file>', 'the private key of the client certificate (PEM)')
    .option('--passphrase-file <file>', 'a file whose first line is the passphrase of the key')
    .option('--rate <n>', 'messages a second', '10')
    .option('--duration <time>', 'how long new messages are sent, such as 30s or 5m', '60s')
    .option('--format <format>', 'json, or soap (SOAP 1.1 with a quoted SOAPAction)', 'json')
    .option('--connections <mode>', 'keep-alive, or new: one connection for each message', 'keep-alive')
    .option('--expect-continue', 'send Expect: 100-continue, and the body after 100, as .NET does', false)
    .option('--timeout <time>', 'how long an answer may take, the opening of a connection included', '200ms')
    .option('--late-wait <time>', 'how long a late answer is awaited after the timeout; 0s: not at all', '1s')
    .option('--resends <n>', 'how often a message is sent again until it is acknowledged', '5')
    .option('--resend-interval <time>', 'time from a failed attempt to the next', '2m')
    .option('--max-connections <n>', 'connections at one time', '4096')
    .option('--seed <n>', 'makes the same messages again; else a new one is chosen and printed')
    .option('--json', 'print one JSON document', false)
    .option('--report <file>', 'write the result as an HTML page, with charts')
    .option('--force', 'replace an existing report', false)
    .addHelpText('after', notes)
    .action(async (url: string, options: SimulateOptions) => {
      const { simulate } = await import('./simulate.ts');
      finish(await simulate(url, options));
    });
}
