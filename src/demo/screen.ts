/** The screen of the demo: what runs where, and commands to try. */
import { basename, join, relative } from 'node:path';
import { paint } from '../terminal/colours.ts';
import { formatTable } from '../terminal/table.ts';
import { demoFiles } from './certificates.ts';

/** Names of files in the folder of the demo. */
export const auditFile = 'audit.log';
export const configFile = 'demo.yaml';
/** Written by one of the commands: the Authorization field with a token, which `curl -H @FILE` sends. */
export const tokenFile = 'token.header';

/** The route that demands a token. */
export const boundPath = '/bound';

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
  /** Access tokens and their key set, over HTTPS. */
  readonly authorization: number;
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
    [
      'tokens',
      `https://127.0.0.1:${ports.authorization}/`,
      `authorization server; the gateway demands its tokens on ${boundPath}`,
    ],
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

function examplesOf(site: DemoSite): Example[] {
  return [...certificateExamples(site), ...tokenExamples(site), simulation(site)];
}

/** A command to try; `fields`: further options of curl. */
function message(
  { folder, ports }: DemoSite,
  options: {
    readonly identity: ClientFiles | null;
    readonly fields?: readonly string[];
    readonly urls: readonly string[];
  },
): string {
  const { identity, fields = [], urls } = options;
  return [
    `curl -i --cacert ${quote(join(folder, demoFiles.root))}`,
    ...(identity ? [credentials(folder, identity)] : []),
    ...fields,
    `--header 'Content-Type: application/json' --data '{"MTID":"0100"}'`,
    ...urls.map((url) => (url.startsWith('/') ? `https://127.0.0.1:${ports.gateway}${url}` : url)),
  ].join(' ');
}

interface ClientFiles {
  readonly chain: string;
  readonly key: string;
}

function credentials(folder: string, { chain, key }: ClientFiles): string {
  return `--cert ${quote(join(folder, chain))} --key ${quote(join(folder, key))}`;
}

function certificateExamples(site: DemoSite): Example[] {
  const { client, stranger, revoked } = demoFiles;
  const revocation = `http://127.0.0.1:${site.ports.revocation}`;
  const post = (identity: ClientFiles | null, ...urls: string[]) => message(site, { identity, urls });
  return [
    { says: 'a good certificate: 200 and the response of the host', command: post(client, '/') },
    { says: 'no certificate: 400', command: post(null, '/') },
    { says: 'a certificate with the same names from another CA: 403', command: post(stranger, '/') },
    { says: 'a revoked certificate: 403', command: post(revoked, '/') },
    {
      says: 'the good one, revoked while its connection is open: 200, 204 from the demo CA, 403; the audit record has "stage":"live"',
      command: post(client, '/', `${revocation}/revoke`, '/'),
    },
    {
      says: 'undo the revocation: 204; the good certificate gets 200 again',
      command: `curl -i -X POST ${revocation}/restore`,
    },
  ];
}

/** RFC 8705 §3: a token is good only with the certificate that it was issued to. */
function tokenExamples(site: DemoSite): Example[] {
  const { folder, ports } = site;
  const { client, other } = demoFiles;
  const file = quote(join(folder, tokenFile));
  const bound = (identity: ClientFiles, fields: string[]) =>
    message(site, { identity, fields, urls: [boundPath] });
  return [
    {
      says: `${boundPath} demands an access token as well as a certificate; without one: 401`,
      command: bound(client, []),
    },
    {
      says: `get a token that is bound to the good certificate, for the next two commands`,
      command: [
        `curl -s --cacert ${quote(join(folder, demoFiles.root))} ${credentials(folder, client)}`,
        `--data grant_type=client_credentials https://127.0.0.1:${ports.authorization}/token`,
        String.raw`| sed 's/.*"access_token":"\([^"]*\)".*/Authorization: Bearer \1/' > ${file}`,
      ].join(' '),
    },
    {
      says: 'the token with the certificate that it is bound to: 200',
      command: bound(client, [`--header @${file}`]),
    },
    {
      says: 'the same token with another good certificate: 401',
      command: bound(other, [`--header @${file}`]),
    },
  ];
}

function simulation({ folder, ports }: DemoSite): Example {
  return {
    says: 'messages as Thredd sends them, 50 a second for ten seconds',
    command: [
      `${command()} simulate https://127.0.0.1:${ports.gateway}/ --rate 50 --duration 10s --resend-interval 1s`,
      `--ca ${quote(join(folder, demoFiles.root))} ${credentials(folder, demoFiles.client)}`,
    ].join(' '),
  };
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
