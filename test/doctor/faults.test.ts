/** Each fault that the acceptance test is there for is found and named, and nothing else is failed. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { type EndpointOptions, goodTls, openEndpoint } from '../support/process/faulty-endpoint.ts';
import { program } from '../support/process/program.ts';

const day = 24 * 3_600_000;
const now = Date.now();
const pki = authority();
const client = pki.issueClient({ key: 'rsa-2048' });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'root.pem'), pki.root.pem);
  await writeFile(join(folder.path, 'anchors.pem'), pki.anchorPem);
  await writeFile(join(folder.path, 'client.pem'), client.chainPem);
  await writeFile(join(folder.path, 'client.key'), client.keyPem, { mode: 0o600 });
});
afterAll(() => folder[Symbol.asyncDispose]());

interface Result {
  readonly id: string;
  readonly outcome: string;
  readonly fact: string;
  readonly hint?: string;
}

/** Faults of a busy machine, and not of the endpoint, unless it has one of them. */
const ofTime = ['message-continue', 'latency-message', 'latency-handshake', 'latency-total'];

/** Examines again if a time was too long that is not the fault to be found. */
async function examine(
  url: string,
  { extra = [], found }: { extra?: readonly string[]; found?: string } = {},
) {
  for (;;) {
    const result = await examineOnce(url, extra);
    const late = failuresOf(result.checks).filter((id) => ofTime.includes(id) && id !== found);
    if (late.length === 0) return result;
  }
}

async function examineOnce(url: string, extra: readonly string[]) {
  const files = [
    '--ca',
    'root.pem',
    '--cert',
    'client.pem',
    '--key',
    'client.key',
    '--expect-ca',
    'anchors.pem',
  ];
  const args = [program, 'doctor', url, ...files, '--json', '--count', '5', '--budget', '10000', ...extra];
  const child = spawn(process.execPath, args, { cwd: folder.path });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  const report = JSON.parse(stdout);
  return { code, stderr, report, checks: report.checks as Result[] };
}

function failuresOf(checks: readonly Result[]): string[] {
  return checks.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id);
}

it('finds no fault in an endpoint as the guide wants it', async () => {
  await using endpoint = await openEndpoint({ pki });
  const { checks, report, code, stderr } = await examine(endpoint.url);
  expect(stderr).toBe('');
  expect(checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  expect(report.grade).toMatchObject({ letter: 'A', caps: [] });
  expect(code).toBe(0);
});

it('reads the request for a certificate of a server that only speaks TLS 1.3', async () => {
  await using endpoint = await openEndpoint({ pki, tls: { minVersion: 'TLSv1.3' } });
  const { checks, report } = await examine(endpoint.url);
  expect(checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  expect(checks.find(({ id }) => id === 'certificate-request')?.fact).toContain('TLS 1.3');
  expect(report.grade.letter).toBe('A');
});

interface Fault {
  readonly name: string;
  readonly endpoint: EndpointOptions;
  readonly found: string;
  readonly fact: RegExp;
  readonly grade?: string;
  readonly options?: readonly string[];
}

const second = issueCertificate({
  subject: { CN: 'Second CA' },
  issuer: pki.root,
  notBefore: now - day,
  notAfter: now + 100 * day,
  basicConstraints: { ca: true },
  keyUsage: ['keyCertSign'],
});
const third = issueCertificate({
  subject: { CN: 'Third CA' },
  issuer: second,
  notBefore: now - day,
  notAfter: now + 100 * day,
  basicConstraints: { ca: true },
  keyUsage: ['keyCertSign'],
});
// Not of the issuing CA: OpenSSL adds a CA that the server trusts to the chain by itself.
const lone = pki.issueServer({ issuer: second });
const deep = pki.issueServer({ issuer: third });
const rsa = pki.issueServer({ key: 'rsa-1024' });
const issuingKey = new X509Certificate(pki.issuing.der).publicKey;
const lax = { ciphers: `${goodTls.ciphers}:@SECLEVEL=0` };

const faults: readonly Fault[] = [
  {
    name: 'a missing intermediate',
    endpoint: { server: { chainPem: lone.pem, keyPem: lone.keyPem } },
    found: 'chain-complete',
    fact: /CN=Second CA is missing/,
    grade: 'B',
  },
  {
    name: 'a chain in the wrong order',
    endpoint: { server: { chainPem: deep.pem + second.pem + third.pem, keyPem: deep.keyPem } },
    found: 'chain-order',
    fact: /sent in the order CN=localhost; CN=Second CA; CN=Third CA/,
  },
  {
    name: 'an expired leaf',
    endpoint: { server: pki.issueServer({ notBefore: now - 9 * day, notAfter: now - 2 * day - 1000 }) },
    found: 'chain-validity',
    fact: /CN=localhost expired on .*, 2 days ago/,
    grade: 'T',
  },
  {
    name: 'a certificate for another name',
    endpoint: { server: pki.issueServer({ sans: ['DNS:other.example'] }) },
    found: 'chain-name',
    fact: /valid for DNS:other.example; not for 127.0.0.1/,
    grade: 'M',
  },
  {
    name: 'a key of RSA-1024',
    endpoint: { server: rsa, tls: lax },
    found: 'chain-key',
    fact: /CN=localhost has an RSA key of 1024 bits/,
    grade: 'B',
  },
  {
    name: 'a signature with SHA-1',
    endpoint: { server: pki.issueServer({ hash: 'sha1' }), tls: lax },
    found: 'chain-signature',
    fact: /CN=localhost has a signature with SHA-1/,
    grade: 'F',
  },
  {
    name: 'TLS 1.0',
    endpoint: {
      tls: { minVersion: 'TLSv1', ciphers: `${goodTls.ciphers}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0` },
    },
    found: 'versions',
    fact: /obsolete: TLS 1.0, TLS 1.1/,
    grade: 'B',
  },
  {
    name: 'cipher suites with CBC only',
    endpoint: { tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA' } },
    found: 'aead',
    fact: /TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA/,
    grade: 'B',
  },
  {
    name: 'no request for a client certificate',
    endpoint: { tls: { requestCert: false }, admits: () => true },
    found: 'certificate-request',
    fact: /no CertificateRequest/,
  },
  {
    name: 'an empty list of CA names',
    endpoint: { tls: { ca: [] } },
    found: 'ca-names',
    fact: /empty/,
  },
  {
    name: 'the names of other CAs',
    endpoint: { tls: { ca: [authority({ name: 'Other' }).root.pem] } },
    found: 'ca-names',
    fact: /CN=Other Root CA.*absent: CN=Example Root CA.*; CN=Example Issuing CA/,
  },
  {
    name: 'any certificate at all let in, as with optional_no_ca',
    endpoint: { admits: (peer) => peer !== undefined },
    found: 'wrong-certificate',
    fact: /unknown name: 200; CA with an accepted name: 200/,
  },
  {
    name: 'a session that is resumed without a certificate let in',
    endpoint: {
      admits: (peer, socket) => socket.isSessionReused() || peer?.verify(issuingKey) === true,
    },
    found: 'no-certificate-resumed',
    fact: /TLS 1.2: resumed, 200; TLS 1.3: resumed, 200/,
  },
  {
    name: 'an alert instead of 400',
    endpoint: { tls: { rejectUnauthorized: true } },
    found: 'no-certificate',
    fact: /no response/,
  },
  {
    name: 'no Content-Length',
    endpoint: {
      answer: (response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write('{"Acknowledgement":');
        response.end('"1"}');
      },
    },
    found: 'message-length',
    fact: /chunked/,
  },
  {
    name: 'a slow handshake',
    endpoint: { delayMs: 250 },
    options: ['--budget', '200'],
    found: 'latency-handshake',
    fact: /p50 \d+ ms.* of 200 ms/,
  },
];

it.each(faults)('finds and names $name, and fails nothing else', async ({ endpoint: options, ...fault }) => {
  await using endpoint = await openEndpoint({ pki, ...options });
  const { checks, report, code, stderr } = await examine(endpoint.url, {
    extra: fault.options ?? [],
    found: fault.found,
  });
  expect(stderr).toBe('');
  expect(failuresOf(checks)).toEqual([fault.found]);
  const found = checks.find(({ id }) => id === fault.found);
  expect(found?.fact).toMatch(fault.fact);
  expect(found?.hint).toMatch(/./);
  if (fault.grade !== undefined) expect(report.grade.letter).toBe(fault.grade);
  expect(code).toBe(1);
});
