/** The screen of the demo: what runs where, and commands to try. */
import { basename, join, relative } from 'node:path';
import { paint } from '../terminal/style.ts';
import { formatTable } from '../terminal/table.ts';
import { demoFiles } from './certificates.ts';

/** Names of files in the folder of the demo. */
export const auditFile = 'audit.log';
export const configFile = 'demo.yaml';

export interface DemoSite {
  /** Absolute. */
  readonly folder: string;
  readonly ports: Ports;
  /** The audit records and the log are printed, instead of going into a file. */
  readonly verbose: boolean;
}

export interface Ports {
  readonly gateway: number;
  readonly admin: number;
  /** CA files, over HTTPS. */
  readonly directory: number;
  /** CRLs and OCSP, over HTTP. */
  readonly revocation: number;
  readonly host: number;
}

/** Several lines. */
export function formatScreen(site: DemoSite): string {
  const examples = examplesOf(site).map(({ says, command }) => `${paint('dim', `# ${says}`)}\n${command}`);
  const page = `http://127.0.0.1:${site.ports.admin}/`;
  return `
${paint('bold', `The gateway is ready. See its state in a browser: ${page}`)}

${placesOf(site)}

Try it in another terminal:

${examples.join('\n\n')}

Press Ctrl-C to end the demo.
`;
}

/** What runs where. */
function placesOf({ folder, ports, verbose }: DemoSite): string {
  const here = (name: string) => relative('', join(folder, name));
  const rows = [
    ['gateway', `https://127.0.0.1:${ports.gateway}/`, 'asks for a client certificate of the demo CA'],
    ['example host', `http://127.0.0.1:${ports.host}/`, 'acknowledges every message'],
    ['demo CA', `http://127.0.0.1:${ports.revocation}/`, 'serves CRLs and OCSP'],
    ['CA files', `https://127.0.0.1:${ports.directory}/`, 'the gateway fetches its trust anchor here'],
    ['metrics', `http://127.0.0.1:${ports.admin}/metrics`, 'also /readyz, /upstreams and /api/status'],
    ['configuration', here(configFile), 'written at every start'],
    verbose
      ? ['audit records', 'on this screen', 'JSON lines, one for each handshake and each message']
      : ['audit records', here(auditFile), `follow them: tail -F ${quote(join(folder, auditFile))}`],
  ];
  const columns = [{ title: '' }, { title: '' }, { title: '' }];
  return formatTable({ columns, rows: rows.map(([what = '', ...where]) => [paint('cyan', what), ...where]) });
}

interface Example {
  readonly says: string;
  readonly command: string;
}

function examplesOf({ folder, ports }: DemoSite): Example[] {
  const file = (name: string) => quote(join(folder, name));
  const gateway = `https://127.0.0.1:${ports.gateway}/`;
  const revocation = `http://127.0.0.1:${ports.revocation}`;
  const curl = (identity: { chain: string; key: string } | null, ...urls: string[]) =>
    [
      `curl -i --cacert ${file(demoFiles.root)}`,
      ...(identity ? [`--cert ${file(identity.chain)} --key ${file(identity.key)}`] : []),
      `--header 'Content-Type: application/json' --data '{"MTID":"0100"}'`,
      ...urls,
    ].join(' ');
  return [
    {
      says: 'a good certificate: 200 and the response of the host',
      command: curl(demoFiles.client, gateway),
    },
    { says: 'no certificate: 400', command: curl(null, gateway) },
    {
      says: 'a certificate with the same names from another CA: 403',
      command: curl(demoFiles.stranger, gateway),
    },
    { says: 'a revoked certificate: 403', command: curl(demoFiles.revoked, gateway) },
    {
      says: 'the good one, revoked while its connection is open: 200, 204 from the demo CA, 403; the audit record has "stage":"live"',
      command: curl(demoFiles.client, gateway, `${revocation}/revoke`, gateway),
    },
    {
      says: 'undo the revocation: 204; the good certificate gets 200 again',
      command: `curl -i -X POST ${revocation}/restore`,
    },
    {
      says: 'messages as Thredd sends them, 50 a second for ten seconds',
      command: [
        `${command()} simulate ${gateway} --rate 50 --duration 10s --resend-interval 1s --ca ${file(demoFiles.root)}`,
        `--cert ${file(demoFiles.client.chain)} --key ${file(demoFiles.client.key)}`,
      ].join(' '),
    },
  ];
}

/** Quotes a path for a POSIX shell, if it needs quotes. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** How this program was started: by its main file, of the sources or of a build, or as installed. */
function command(): string {
  const main = process.argv[1] ?? '';
  return /^main\.[jt]s$/.test(basename(main)) ? `${quote(process.execPath)} ${quote(main)}` : 'ehi-gateway';
}
