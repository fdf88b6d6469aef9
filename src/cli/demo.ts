/** `ehi-gateway demo`: the whole arrangement on 127.0.0.1, with throwaway certificates and lines to try it with. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DemoCertificates, demoFiles, prepareCertificates } from '../demo/certificates.ts';
import { createDirectory } from '../demo/directory.ts';
import { createExampleHost } from '../demo/host.ts';
import { findPort, listen } from '../demo/port.ts';
import { run } from './run.ts';

const folder = resolve('certs/dev');

interface Ports {
  readonly gateway: number;
  readonly admin: number;
  readonly directory: number;
  readonly host: number;
}

/** Runs until a signal ends it; resolves with the gateway's exit code. */
export async function demo(): Promise<number> {
  const certificates = await prepareCertificates(folder, Date.now());
  const { chainPem: cert, keyPem: key } = certificates.server;
  const files = new Map([
    ['/root-ca.pem', certificates.rootPem],
    ['/issuer-ca.pem', certificates.issuingPem],
  ]);
  const directory = createDirectory({ cert, key, files });
  const host = createExampleHost();
  const ports: Ports = {
    directory: await listen(directory, 8444),
    host: await listen(host, 8080),
    gateway: await findPort(8443),
    admin: await findPort(9090),
  };
  const config = join(folder, 'demo.yaml');
  await writeFile(config, configuration(certificates, ports));

  const stopped = new AbortController();
  const announced = announce(ports, stopped.signal);
  try {
    return await run({ config });
  } finally {
    stopped.abort();
    await announced;
    for (const server of [directory, host]) {
      server.close();
      server.closeAllConnections();
    }
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
      rootSha256: "${root.sha256}"
  cacheDir: trust
clients:
  allowlist: [127.0.0.1/32]
  match: { organizationalUnit: "${client.organizationalUnits[0]}" }
routes:
  - path: /
    upstream: http://127.0.0.1:${ports.host}
admin:
  address: 127.0.0.1
  port: ${ports.admin}
`;
}

/** Prints the lines once they work: when the gateway says that it is ready. */
async function announce(ports: Ports, signal: AbortSignal): Promise<void> {
  while (!(await isReady(ports.admin))) {
    if (signal.aborted) return;
    await delay(50);
  }
  if (!signal.aborted) console.log(invitation(ports));
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function invitation(ports: Ports): string {
  const file = (name: string) => quote(join(folder, name));
  const curl = (identity?: { chain: string; key: string }) =>
    [
      `curl -i --cacert ${file(demoFiles.root)}`,
      ...(identity ? [`--cert ${file(identity.chain)} --key ${file(identity.key)}`] : []),
      `--header 'Content-Type: application/json' --data '{"MTID":"0100"}' https://127.0.0.1:${ports.gateway}/`,
    ].join(' ');
  return `
The gateway is ready; metrics are at http://127.0.0.1:${ports.admin}/metrics. Try it:

# a good certificate: 200 and the host's answer
${curl(demoFiles.client)}

# no certificate: 400
${curl()}

# a certificate with the same names from another CA: 403
${curl(demoFiles.stranger)}
`;
}

/** For a POSIX shell; plain paths stay plain. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
