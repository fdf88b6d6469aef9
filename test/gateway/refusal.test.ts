/** Callers who may not come in: the page they get, the reason that only the audit knows, and what they cannot reach. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { purposes } from '../../src/pki/development.ts';
import { issueCertificate } from '../../src/pki/issue.ts';
import { authority, type Leaf } from '../support/authority.ts';
import { post } from '../support/client.ts';
import { type Message, statusOf } from '../support/http.ts';
import { expectOneRecordEach, refusalOf } from '../support/records.ts';
import { openStage, type Stage } from '../support/stage.ts';

const hour = 3_600_000;
/** No path length limit, so that an intermediate below the issuing CA is in order. */
const pki = authority({ issuing: { basicConstraints: { ca: true } } });
const stranger = authority({ name: 'Stranger' });
const namesake = authority({ issuing: { basicConstraints: { ca: true } } });

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ authority: pki });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Signed by an intermediate that the anchor does not hold; the client sends the whole chain along. */
function leafUnderOwnIntermediate(): Leaf {
  const now = Date.now();
  const intermediate = issueCertificate({
    subject: { CN: 'An intermediate of the client’s' },
    issuer: pki.issuing,
    notBefore: now - hour,
    notAfter: now + hour,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
  });
  const leaf = pki.issueClient({ issuer: intermediate });
  return { ...leaf, chainPem: leaf.pem + intermediate.pem + pki.issuing.pem };
}

/** A CA's own certificate, presented as a client's. */
const asLeaf = (ca: { pem: string; keyPem: string }) => ({
  keyPem: ca.keyPem,
  chainPem: ca.pem + pki.root.pem,
});

const cases: readonly {
  readonly who: string;
  readonly leaf: () => { chainPem: string; keyPem: string } | undefined;
  readonly status: 400 | 403;
  readonly reason: string;
  /** To OpenSSL the leaf is in order: only our own path and our own rules refuse it. */
  readonly openssl?: 'agrees';
}[] = [
  { who: 'a client without a certificate', leaf: () => undefined, status: 400, reason: 'no_certificate' },
  {
    who: 'a leaf of another CA with the same names',
    leaf: () => namesake.issueClient(),
    status: 403,
    reason: 'untrusted',
  },
  { who: 'a leaf of another CA', leaf: () => stranger.issueClient(), status: 403, reason: 'untrusted' },
  {
    who: 'a leaf of another CA that sends the anchor’s certificates along',
    leaf: () => {
      const leaf = namesake.issueClient();
      return { ...leaf, chainPem: leaf.pem + pki.issuing.pem + pki.root.pem };
    },
    status: 403,
    reason: 'untrusted',
  },
  {
    who: 'a self-signed leaf',
    leaf: () => {
      const leaf = issueCertificate({
        subject: pki.issueClient().subject,
        notBefore: Date.now() - hour,
        notAfter: Date.now() + hour,
      });
      return { ...leaf, chainPem: leaf.pem };
    },
    status: 403,
    reason: 'untrusted',
  },
  {
    who: 'a leaf under an intermediate that only the client sent',
    leaf: leafUnderOwnIntermediate,
    status: 403,
    reason: 'untrusted',
    openssl: 'agrees',
  },
  {
    who: 'an expired leaf',
    leaf: () => pki.issueClient({ notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
    status: 403,
    reason: 'expired',
  },
  {
    who: 'a leaf that is not valid yet',
    leaf: () => pki.issueClient({ notBefore: Date.now() + hour, notAfter: Date.now() + 2 * hour }),
    status: 403,
    reason: 'not_yet_valid',
  },
  {
    who: 'a leaf whose extended key usage is serverAuth alone',
    leaf: () => pki.issueClient({ extendedKeyUsage: [purposes.serverAuth] }),
    status: 403,
    reason: 'wrong_purpose',
  },
  {
    who: 'a leaf whose key may not sign',
    leaf: () => pki.issueClient({ keyUsage: ['keyEncipherment'] }),
    status: 403,
    reason: 'wrong_purpose',
  },
  { who: 'the issuing CA itself', leaf: () => asLeaf(pki.issuing), status: 403, reason: 'ca_as_leaf' },
  { who: 'the root itself', leaf: () => asLeaf(pki.root), status: 403, reason: 'ca_as_leaf' },
  {
    who: 'an RSA key of 1024 bits',
    leaf: () => pki.issueClient({ key: 'rsa-1024' }),
    status: 403,
    reason: 'weak_key',
  },
  {
    who: 'a leaf signed with SHA-1',
    leaf: () => pki.issueClient({ hash: 'sha1' }),
    status: 403,
    reason: 'weak_signature',
  },
  {
    who: 'a leaf with a critical extension that nobody knows',
    leaf: () =>
      pki.issueClient({
        extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: true, value: Buffer.of(5, 0) }],
      }),
    status: 403,
    reason: 'unsupported_extension',
  },
  {
    who: 'a good leaf of another customer',
    leaf: () => pki.issueClient({ subject: { O: 'Example', OU: 'Another organisation', CN: 'Another' } }),
    status: 403,
    reason: 'match_mismatch',
    openssl: 'agrees',
  },
];

const titles = { 400: '400 No required SSL certificate was sent', 403: '403 Forbidden' };

/** The client's own library must not be the one that refuses a weak certificate. */
const lenient = { ciphers: 'DEFAULT@SECLEVEL=0' };

function expectPage(answer: Message, status: 400 | 403): void {
  expect(statusOf(answer)).toBe(status);
  expect(answer.field('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.field('connection')).toBe('close');
  expect(answer.field('content-length')).toBe(String(answer.body.length));
  const page = answer.body.toString();
  expect(page).toContain(`<title>${titles[status]}</title>`);
  // Its words are the title and the request's id: nothing says why.
  const words = page.replace(/<title>.*<\/title>/, '').replace(/<[^>]+>/g, ' ');
  expect(words.trim().split(/\s+/)).toEqual([
    ...titles[status].split(' '),
    'Request',
    answer.field('x-request-id'),
  ]);
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  it.each(cases)(
    'refuses $who with $status, and records $reason',
    async ({ leaf, status, reason, openssl }) => {
      const client = { leaf: leaf(), minVersion: version, maxVersion: version, ...lenient };
      const answer = await stage.send(post({ target: '/secret?card=none' }), client);
      expectPage(answer, status);
      const { handshake, message } = await refusalOf(stage.gateway, answer);
      expect(handshake).toMatchObject({
        verdict: 'deny',
        reason,
        source_address: '127.0.0.1',
        tls_version: version,
        resumed: false,
        anchor: null,
      });
      expect(handshake.openssl_code).toEqual(
        openssl === 'agrees' ? null : expect.stringMatching(/^[A-Z_]+$/),
      );
      expect(handshake.leaf === null).toBe(reason === 'no_certificate');
      expect(message).toMatchObject({ route: null, method: 'POST', path: '/secret', status });
    },
  );
});

it('fails the handshake of a key on secp256k1, a curve that it does not offer', async () => {
  const leaf = stage.authority.issueClient({ key: 'secp256k1' });
  await expect(stage.connect({ leaf, ...lenient, maxVersion: 'TLSv1.2' })).rejects.toThrow(
    /illegal parameter/,
  );
  const record = await stage.gateway.audit(
    ({ type, openssl_code }) => type === 'handshake' && openssl_code === 'ERR_SSL_WRONG_CURVE',
  );
  expect(record).toMatchObject({ verdict: 'failed', reason: 'protocol_error', source_address: '127.0.0.1' });
});

it('answers HEAD without the page, and a head that cannot be read with it', async () => {
  await using first = await stage.connect({ leaf: undefined });
  const head = await first.exchange('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', { bodiless: true });
  expect(statusOf(head)).toBe(400);
  expect(await first.rest()).toHaveLength(0);

  const broken = await stage.send('\0\x01nonsense\r\n\r\n', { leaf: undefined });
  expectPage(broken, 400);
  const { message } = await refusalOf(stage.gateway, broken);
  expect(message).toMatchObject({ method: null, path: null });
});

it('answers a head of any size with the page as soon as limits.head is passed', async () => {
  const endless = `GET / HTTP/1.1\r\nX-Long: ${'a'.repeat(20_000)}`;
  expectPage(await stage.send(endless, { leaf: undefined }), 400);
});

it('answers one request only, however many are pipelined', async () => {
  await using client = await stage.connect({ leaf: undefined });
  expectPage(await client.exchange(Buffer.concat([post(), post(), post()])), 400);
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

it('says nothing to a client that ends before it asks, and records its connection all the same', async () => {
  await using client = await stage.connect({ leaf: undefined });
  const { localPort } = client.socket;
  client.halfClose();
  expect(await client.rest()).toHaveLength(0);
  const record = await stage.gateway.audit(
    ({ type, source_port }) => type === 'handshake' && source_port === localPort,
  );
  expect(record).toMatchObject({ verdict: 'deny', reason: 'no_certificate' });
});

it('shows curl the whole page, and no reset, while it still uploads 1 MB', async () => {
  const { folder, port } = stage.gateway;
  const upload = join(folder, 'upload');
  const ca = join(folder, 'root.pem');
  await writeFile(upload, Buffer.alloc(1_000_000, 'a'));
  await writeFile(ca, pki.root.pem);
  const url = `https://127.0.0.1:${port}/`;
  const curl = ['--silent', '--show-error', '--include', '--cacert', ca, '--header', 'Expect:'];
  for (let round = 0; round < 20; round++) {
    const child = spawn('curl', [...curl, '--data-binary', `@${upload}`, url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [page, errors] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
    expect(errors).toBe('');
    expect(page.toString()).toContain(`<title>${titles[400]}</title>`);
    expect(page.toString()).toMatch(/<\/html>\n$/);
  }
});

it('shows the page to a client that reads only after it has sent a body of 60 KB', async () => {
  await using client = await stage.connect({ leaf: undefined });
  client.socket.pause();
  await new Promise((sent) => client.socket.write(post({ body: Buffer.alloc(60_000, 'a') }), sent));
  client.socket.resume();
  expectPage(await client.response(), 400);
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

it('lets the good leaf in beside them, and brought the host nothing of the refused', async () => {
  expect(statusOf(await stage.send(post({ body: 'the one' })))).toBe(200);
  expect(stage.host.requests.map(({ body }) => body.toString())).toEqual(['the one']);
  expect(stage.host.connectionCount).toBe(1);
});

it('has written exactly one handshake record for every connection', async () => {
  await expectOneRecordEach(stage.gateway);
});
