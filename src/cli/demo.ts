/** `ehi-gateway demo`: gateway, CA servers and host on 127.0.0.1, with temporary certificates and commands to try. */
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DemoCertificates, demoFiles, makeCertificates } from '../demo/certificates.ts';
import { createDirectory } from '../demo/directory.ts';
import { createExampleHost } from '../demo/host.ts';
import { findPort, listen } from '../demo/port.ts';
import { serveRevocations } from '../demo/revocation-server.ts';
import { Revocations } from '../demo/revocations.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { run } from './run.ts';

const cache = 'trust';

/** The port of the first demo on a machine. */
const revocationPort = 8081;

interface DemoSite {
  /** Absolute. */
  readonly folder: string;
  readonly ports: Ports;
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
export async function demo(): Promise<number> {
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
  // The cache of an earlier start belongs to another root.
  await rm(join(folder, cache), { recursive: true, force: true });
  const config = join(folder, 'demo.yaml');
  await writeFile(config, configuration(certificates, ports));

  const stopped = new AbortController();
  const announced = announce({ folder, ports }, stopped.signal);
  try {
    return await run({ config });
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

function configuration({ root, client }: DemoCertificates, ports: Ports): string {
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
`;
}

/** Prints the example commands when the gateway is ready. */
async function announce(site: DemoSite, signal: AbortSignal): Promise<void> {
  while (!(await isReady(site.ports.admin))) {
    if (signal.aborted) return;
    await delay(50);
  }
  if (!signal.aborted) console.log(examples(site));
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function examples({ folder, ports }: DemoSite): string {
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
  return `
The gateway is ready; metrics are at http://127.0.0.1:${ports.admin}/metrics. Try it:

# a good certificate: 200 and the response of the host
${curl(demoFiles.client, gateway)}

# no certificate: 400
${curl(null, gateway)}

# a certificate with the same names from another CA: 403
${curl(demoFiles.stranger, gateway)}

# a revoked certificate: 403
${curl(demoFiles.revoked, gateway)}

# the good one, revoked while its connection is open: 200, 204 from the demo CA, 403; the audit record has "stage":"live"
${curl(demoFiles.client, gateway, `${revocation}/revoke`, gateway)}

# undo the revocation: 204; the good certificate gets 200 again
curl -i -X POST ${revocation}/restore
`;
}

/** Quotes a path for a POSIX shell, if it needs quotes. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
