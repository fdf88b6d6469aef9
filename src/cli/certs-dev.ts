/** `ehi-gateway certs dev`: a throwaway root, issuing CA, server, client and CRLs, and a configuration that uses them. */
import { join } from 'node:path';
import { exitCodes } from '../errors.ts';
import type { Issued } from '../issuing/certificate.ts';
import { crlKey, crlNumber, signCrl } from '../issuing/crl.ts';
import { createAuthority } from '../issuing/development.ts';
import { authorityFiles, leafFiles, writeDevelopmentFiles } from '../issuing/development-files.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { paint } from '../terminal/colours.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';

export interface DevOptions {
  readonly out: string;
  readonly force: boolean;
  readonly json: boolean;
}

const names = {
  ...authorityFiles,
  server: leafFiles('server'),
  client: leafFiles('client'),
  rootCrl: 'root.crl',
  issuingCrl: 'issuing.crl',
  config: 'gateway.yaml',
} as const;

/** ms; as long as the certificates of server and client, because these CRLs are never renewed. */
const lifetime = 350 * 86_400_000;

/** Resolves with the exit code; throws UsageError. */
export async function makeDevelopmentCertificates({ out, force, json }: DevOptions): Promise<number> {
  const now = Date.now();
  const authority = createAuthority({ name: 'Development', now });
  const { root, issuing } = authority;
  const [server, client] = [authority.issueServer(), authority.issueClient()];
  const crl = (issuer: Issued) =>
    signCrl({
      issuer,
      entries: Buffer.alloc(0),
      thisUpdate: now - 60_000,
      nextUpdate: now + lifetime,
      extensions: [crlKey(issuer), crlNumber(1)],
    });
  const files = await writeDevelopmentFiles({
    folder: out,
    authority,
    leaves: { server, client },
    others: {
      [names.rootCrl]: crl(root),
      [names.issuingCrl]: crl(issuing),
      [names.config]: configuration(parseCertificate(client.der).organizationalUnits[0] ?? ''),
    },
    force,
  });
  process.stdout.write(json ? jsonLine({ folder: out, files }) : textOf(out));
  return exitCodes.drained;
}

/** Paths are relative to the folder of the file. */
function configuration(organizationalUnit: string): string {
  return `# Written by \`ehi-gateway certs dev\`: for tests on one machine, never for production.
# config/example.yaml explains every field.
listen:
  address: 127.0.0.1
  port: 8443
  certificate: { chain: ${names.server.chain}, key: ${names.server.key} }
trust:
  anchors:
    - name: development
      files: [${names.root}, ${names.issuing}]
      revocation: { crl: [${names.rootCrl}, ${names.issuingCrl}], ocsp: off }
  cacheDir: trust
clients:
  allowlist: [127.0.0.1/32]
  match: { organizationalUnit: "${organizationalUnit}" }
routes:
  - path: /
    upstream: http://127.0.0.1:8080
admin:
  address: 127.0.0.1
  port: 9090
`;
}

function textOf(folder: string): string {
  const at = (name: string) => printable(join(folder, name));
  const { server, client } = names;
  const rows = [
    [`${at(names.root)}, ${at(names.issuing)}`, 'the CAs; their keys are not kept'],
    [`${at(server.chain)}, ${at(server.key)}`, 'for localhost, 127.0.0.1 and ::1'],
    [`${at(client.chain)}, ${at(client.key)}`, 'a client like that of Thredd’s sandbox'],
    [`${at(names.rootCrl)}, ${at(names.issuingCrl)}`, 'CRLs that revoke nothing'],
    [at(names.config), 'a configuration that uses them'],
  ] as const;
  return [
    ...rows.map(([files, what]) => `${paint('bold', files)}\n  ${what}`),
    '',
    'For tests only. Start a gateway with them; it expects a host on http://127.0.0.1:8080:',
    `  ehi-gateway run --config ${at(names.config)}`,
    `  curl --cacert ${at(names.root)} --cert ${at(client.chain)} --key ${at(client.key)} https://127.0.0.1:8443/`,
    '',
  ].join('\n');
}
