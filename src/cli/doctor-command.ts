/** The options and help text of `ehi-gateway doctor`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DoctorOptions } from './doctor.ts';
import type { Finish } from './finish.ts';

const after = `
Without a client certificate the checks of messages are marked "?": not possible here. With one, the endpoint passes
--count + 4 messages to its host; the default message is a balance enquiry over nothing.

Examples:
  ehi-gateway doctor https://ehi.example.com/ehi --preset sandbox
  ehi-gateway doctor https://ehi.example.com/ehi --preset sandbox --cert client.pem --key client.key --report evidence.html
  ehi-gateway doctor https://ehi.example.com/ehi --cert client.pem --key client.key --token-file token
  ehi-gateway doctor https://127.0.0.1:8443/ --ca root.pem --servername ehi.example.com

Exit codes: 0 no check failed (warnings "!" and "?" do not count), 1 a check failed, 64 wrong options,
69 the name does not resolve, or no address accepts TCP connections.`;

export function addDoctor(program: Command, finish: Finish): void {
  program
    .command('doctor')
    .description(
      "Examine an endpoint as Thredd's acceptance test does: certificate chain, protocols, CA names, who is let in, a message, latency.",
    )
    .argument('<url>', 'the endpoint, such as https://ehi.example.com/ehi')
    .option('--ca <file>', 'PEM with the root that issued the server certificate; default: the public roots')
    .option(
      '--servername <name>',
      'the name to send (SNI) and to find in the certificate; default: that of the URL',
    )
    .option('--cert <file>', 'PEM with a client certificate that the endpoint accepts, and its intermediates')
    .option('--key <file>', 'PEM with the key of that certificate')
    .option(
      '--passphrase-file <file>',
      'a file whose first line is the passphrase of an encrypted key; default: asked for',
    )
    .option('--p12 <file>', 'PKCS#12 file (.p12, .pfx) with certificate and key, instead of --cert and --key')
    .option('--password-file <file>', 'a file whose first line is the password of --p12; default: asked for')
    .option(
      '--token-file <file>',
      'a file with an access token that is bound to the certificate: sent with each message',
    )
    .option(
      '--signature-file <file>',
      'a file with the header fields that sign the body of --data, one on a line: sent with each message',
    )
    .option(
      '--other-cert <file>',
      'PEM with another client certificate that the endpoint accepts: the token must not admit it',
    )
    .option('--other-key <file>', 'PEM with the key of --other-cert')
    .addOption(
      new Option('--preset <name>', "expect the names of Thredd's CAs").choices(['sandbox', 'production']),
    )
    .option('--expect-ca <file>', 'PEM with the CAs whose names are expected, in this order')
    .option(
      '--tolerate <ids>',
      'checks whose faults are warnings: ids as in the JSON document, with commas between them',
    )
    .option('--data <file>', 'the message to send, JSON or SOAP; default: a harmless one')
    .option('--count <n>', 'tries for the latency', wholeNumber(1, 10_000), 20)
    .option('--budget <ms>', 'timeout of the sender for a message', wholeNumber(1, 60_000), 200)
    .option('--timeout <ms>', 'how long to wait for each answer', wholeNumber(100, 600_000), 5000)
    .option(
      '--max-time <ms>',
      'the most that the whole examination takes; what is not measured by then is marked "?"',
      wholeNumber(1000, 86_400_000),
      60_000,
    )
    .option('--report <file>', 'write an evidence page: HTML in one file')
    .option('--force', 'replace an existing report', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', after)
    .action(async (url: string, options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts');
      finish(await doctor(url, options));
    });
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Allowed is a whole number from ${min} to ${max}.`);
  };
}
