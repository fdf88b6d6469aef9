/** `ehi-gateway demo`: gateway, CA servers and host on 127.0.0.1, with temporary certificates and commands to try. */
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  authorizationPaths,
  createAuthorizationServer,
  issuerAt,
  tokenAlgorithm,
  tokenScope,
} from '../demo/authorization-server.ts';
import { type DemoCertificates, demoFiles, makeCertificates } from '../demo/certificates.ts';
import { createDirectory } from '../demo/directory.ts';
import { createExampleHost } from '../demo/host.ts';
import { findPort, listen } from '../demo/port.ts';
import { serveRevocations } from '../demo/revocation-server.ts';
import { Revocations } from '../demo/revocations.ts';
import {
  auditFile,
  boundPath,
  configFile,
  type DemoSite,
  formatScreen,
  type Ports,
  tokenFile,
} from '../demo/screen.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { run } from './run.ts';

const cache = 'trust';

/** The port of the first demo on a machine. */
const revocationPort = 8081;

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
  const gateway = await findPort(8443);
  const authorization = await createAuthorizationServer({
    ...{ cert: server.chainPem, key: server.keyPem, ca: root.pem },
    audience: audienceOf(gateway),
  });
  const ports: Ports = {
    revocation,
    directory: await listen(directory, 8444),
    authorization: await listen(authorization, 8445),
    host: await listen(host, 8080),
    gateway,
    admin: await findPort(9090),
  };
  // The cache, the records and the token of an earlier start belong to another root.
  for (const name of [cache, auditFile, tokenFile])
    await rm(join(folder, name), { recursive: true, force: true });
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
    for (const each of [directory, authorization, revocationServer, host]) {
      each.close();
      each.closeAllConnections();
    }
    // Its name contains the port, which a later demo may not get again.
    if (!isFirst) await rm(folder, { recursive: true, force: true });
  }
}

/** The `aud` of the tokens: the URL that they are for. */
function audienceOf(gatewayPort: number): string {
  return `https://127.0.0.1:${gatewayPort}${boundPath}`;
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
  - path: ${boundPath}
    upstream: http://127.0.0.1:${ports.host}
    bearer:
      issuer: ${issuerAt(ports.authorization)}
      audience: [${audienceOf(ports.gateway)}]
      scopes: [${tokenScope}]
      algorithms: [${tokenAlgorithm}]
      jwks: { uri: ${issuerAt(ports.authorization)}${authorizationPaths.keys}, ca: ${demoFiles.root} }
relays: 1
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
  if (!signal.aborted) console.log(formatScreen(site));
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
