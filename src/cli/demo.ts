/** `ehi-gateway demo`: gateway, CA servers and host on 127.0.0.1, with temporary certificates and commands to try. */
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DemoCertificates, demoFiles, makeCertificates } from '../demo/certificates.ts';
import { createDirectory } from '../demo/directory.ts';
import { createExampleHost } from '../demo/host.ts';
import { findPort, listen } from '../demo/port.ts';
import { serveRevocations } from '../demo/revocation-server.ts';
import { Revocations } from '../demo/revocations.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { paint } from '../terminal/style.ts';
import { formatTable } from '../terminal/table.ts';
import { run } from './run.ts';

const cache = 'trust';
const auditFile = 'audit.log';
const configFile = 'demo.yaml';

/** The port of the first demo on a machine. */
const revocationPort = 8081;

interface DemoSite {
  /** Absolute. */
  readonly folder: string;
  readonly ports: Ports;
  /** The audit records and the log are printed, instead of going into a file. */
  readonly verbose: boolean;
}

interface Ports {
  readonly gateway: number;
  readonly admin: number;
  /** CA files, over HTTPS. */
  readonly directory: number;
  /** CRLs and OCSP, over HTTP. */
  readonly revocation: number;
  readonly host: number;
}

/** Runs until a signal; resolves with the exit code of the gateway. */
export async function demo({ verbose }: { readonly verbose: boolean }): Promise<number> {
  // First, because the certificates contain its URL.
  const revocationServer = createServer();
  const revocation = await listen(revocationServer, revocationPort);
  // A second demo at the same time gets another port, and thereby its own folder.
  const isFirst = revocation === revocationPort;
  const folder = resolve(isFirst ? 'certs/dev' : `certs/dev-${revocation}`);
  const origin = `http://127.0.0.1:${revocation}`;
  const certificates = await makeCertificates({ folder, origin, now: Date.now() });
  const { root, issuing, server, client } = certificates;
  const revocations = new Revocations(certificates);
  revocationServer.on('request', serveRevocations({ revocations, client }));
  const files = new Map([
    ['/root-ca.pem', root.pem],
    ['/issuer-ca.pem', issuing.pem],
  ]);
  const directory = createDirectory({ cert: server.chainPem, key: server.keyPem, files });
  const host = createExampleHost();
  const ports: Ports = {
    revocation,
    directory: await listen(directory, 8444),
    host: await listen(host, 8080),
    gateway: await findPort(8443),
    admin: await findPort(9090),
  };
  // The cache and the records of an earlier start belong to another root.
  for (const name of [cache, auditFile]) await rm(join(folder, name), { recursive: true, force: true });
  const site: DemoSite = { folder, ports, verbose };
  const config = join(folder, configFile);
  await writeFile(config, configuration(certificates, site));
  // On the calm screen only what needs attention.
  if (!verbose) process.env.EHI_LOG_LEVEL ??= 'warn';

  const stopped = new AbortController();
  const announced = announce(site, stopped.signal);
  try {
    return await run({ config, quiet: !verbose });
  } finally {
    stopped.abort();
    await announced;
    for (const each of [directory, revocationServer, host]) {
      each.close();
      each.closeAllConnections();
    }
    // Its name contains the port, which a later demo may not get again.
    if (!isFirst) await rm(folder, { recursive: true, force: true });
  }
}

function configuration({ root, client }: DemoCertificates, { ports, verbose }: DemoSite): string {
  return `# Written by \`ehi-gateway demo\` at every start. config/example.yaml explains every field.
listen:
  address: 127.0.0.1
  port: ${ports.gateway}
  certificate: { chain: ${demoFiles.server.chain}, key: ${demoFiles.server.key} }
trust:
  anchors:
    - name: development
      urls:
        - https://127.0.0.1:${ports.directory}/root-ca.pem
        - https://127.0.0.1:${ports.directory}/issuer-ca.pem
      tls: { ca: ${demoFiles.root} }
      rootSha256: "${parseCertificate(root.der).sha256}"
      revocation: { refresh: 1s, firstContact: 5s }
  cacheDir: ${cache}
clients:
  allowlist: [127.0.0.1/32]
  match: { organizationalUnit: "${parseCertificate(client.der).organizationalUnits[0]}" }
routes:
  - path: /
    upstream: http://127.0.0.1:${ports.host}
admin:
  address: 127.0.0.1
  port: ${ports.admin}
audit:
  destination: ${verbose ? 'stdout' : auditFile}
`;
}

/** Prints the example commands when the gateway is ready. */
async function announce(site: DemoSite, signal: AbortSignal): Promise<void> {
  while (!(await isReady(site.ports.admin))) {
    if (signal.aborted) return;
    await delay(50);
  }
  if (!signal.aborted) console.log(screen(site));
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function screen(site: DemoSite): string {
  const examples = examplesOf(site).map(({ says, command }) => `${paint('dim', `# ${says}`)}\n${command}`);
  return `
${paint('bold', 'The gateway is ready.')}

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
    ['metrics', `http://127.0.0.1:${ports.admin}/metrics`, 'also /readyz and /connections'],
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
  ];
}

/** Quotes a path for a POSIX shell, if it needs quotes. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
