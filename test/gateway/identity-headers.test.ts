/** `identity.headers`: the fields that each set sends to the host, and that a client cannot forge them. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { Message } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority();
const subject = {
  C: 'GB',
  O: 'Zoë "Q" \\ Söhne',
  OU: 'Example organisation',
  CN: '日本\r\nClient-Cert: forged',
};
const leaf = pki.issueClient({ subject, sans: ['URI:spiffe://ehi/caller', 'DNS:a.example', 'DNS:b;c'] });
const { der } = leaf;
const parsed = parseCertificate(der);
const pem = new X509Certificate(der).toString();

/** The subject in OpenSSL's RFC 2253 form. */
const name =
  'CN=\\E6\\97\\A5\\E6\\9C\\AC\\0d\\0aClient-Cert: forged,OU=Example organisation,O=Zo\\C3\\AB \\"Q\\" \\\\ S\\C3\\B6hne,C=GB';
const issuer = 'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB';
const base64 = (bytes: Buffer) => `:${bytes.toString('base64')}:`;
const serial = parsed.serial.toUpperCase();
const iso = (time: number) => new Date(time).toISOString().replace('.000', '');

/** The fields of each set for this leaf. */
const fieldsBySet: Record<string, [string, unknown][]> = {
  rfc9440: [['Client-Cert', base64(der)]],
  nginx: [
    ['X-SSL-Client-Verify', 'SUCCESS'],
    ['X-SSL-Client-Cert', encodeURIComponent(pem)],
    ['X-SSL-Client-S-DN', name],
    ['X-SSL-Client-I-DN', issuer],
    ['X-SSL-Client-Serial', serial],
    ['X-SSL-Client-Fingerprint', parsed.x509.fingerprint.replaceAll(':', '').toLowerCase()],
  ],
  'ingress-nginx': [
    ['ssl-client-verify', 'SUCCESS'],
    ['ssl-client-cert', encodeURIComponent(pem)],
    ['ssl-client-subject-dn', name],
    ['ssl-client-issuer-dn', issuer],
  ],
  aws: [
    ['X-Amzn-Mtls-Clientcert-Serial-Number', serial],
    ['X-Amzn-Mtls-Clientcert-Issuer', issuer],
    ['X-Amzn-Mtls-Clientcert-Subject', name],
    [
      'X-Amzn-Mtls-Clientcert-Validity',
      `NotBefore=${iso(parsed.notBefore)};NotAfter=${iso(parsed.notAfter)}`,
    ],
    ['X-Amzn-Mtls-Clientcert-Leaf', pem.replaceAll(' ', '%20').replaceAll('\n', '%0A')],
  ],
  envoy: [
    [
      'X-Forwarded-Client-Cert',
      `Hash=${parsed.sha256};Cert="${encodeURIComponent(pem)}"` +
        `;Subject="${name.replaceAll('\\"', '\\22').replaceAll('\\\\', '\\5C')}";URI=spiffe://ehi/caller;DNS=a.example`,
    ],
  ],
  forwarded: [['Forwarded', 'for=127.0.0.1;by=127.0.0.1;host=ehi.example;proto=https']],
};
const all = Object.keys(fieldsBySet);

/** Every field name of any set, and some that hosts are known to trust. */
const forgeries = [
  ...Object.values(fieldsBySet).flatMap((fields) => fields.map(([each]) => each)),
  ...['Client-Cert-Chain', 'X-Amzn-Mtls-Clientcert', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Real-IP'],
  ...['X-Forwarded-Host', 'X-Request-Id', 'X-Forwarded-Tls-Client-Cert', 'X-Client-Cert-Present'],
  ...[
    'WL-Proxy-Client-Cert',
    'WL-Proxy-Client-IP',
    '$WSCC',
    '$WSRA',
    '$WSRU',
    'Proxy-Client-IP',
    'Proxy-Auth-Cert',
  ],
  ...['X-Remote-User', 'Remote-User', 'X-MS-Client-Principal', 'X-MS-Client-Principal-Name', 'l5d-client-id'],
  ...['X-Certificate', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'Proxy'],
].flatMap((each) => {
  const odd = ['-', '_', '.', '~'].map((separator) => each.replaceAll('-', separator));
  return [...odd, each.toLowerCase(), each.toUpperCase(), each.replace('-', '_'), each].map(
    (spelled) => `${spelled}: forged`,
  );
});

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ authority: pki });
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Sends one message; returns what the host received, without the fields that are always the same. */
async function relay(fields: string[] = [], client: Partial<ClientOptions> = { leaf }): Promise<Message> {
  const index = stage.host.requests.length;
  await stage.send(post({ fields }), client);
  return stage.host.request(index);
}

/** The fields without those about the connection to the host, which its first message has. */
function identityFields({ fields }: Message): Message['fields'] {
  return fields.filter(([each]) => each !== 'Connection');
}

/** All fields about the client that the gateway sends, in order. */
function expectedFields(sets: readonly string[]): [string, unknown][] {
  const certificate = sets.filter((set) => set !== 'forwarded').flatMap((set) => fieldsBySet[set] ?? []);
  return [
    ['Host', 'ehi.example'],
    ['Content-Type', 'application/json'],
    ...certificate,
    ...(sets.includes('forwarded') ? (fieldsBySet.forwarded ?? []) : []),
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Request-Id', expect.stringMatching(/^[0-9a-f]{10}-[0-9a-f]+\.1$/)],
    ['traceparent', expect.stringMatching(/^00-/)],
    ['Content-Length', '7'],
  ];
}

describe.each([...all.map((set) => [set]), all, ['forwarded', 'rfc9440'], ['envoy', 'aws']])(
  'with the sets %s %s the host receives',
  (...sets: string[]) => {
    it('the identity of the client and nothing else, whatever fields the client sends', async () => {
      await stage.reload({ identity: { headers: sets } });
      expect(identityFields(await relay())).toEqual(expectedFields(sets));
      for (let at = 0; at < forgeries.length; at += 90) {
        expect(identityFields(await relay(forgeries.slice(at, at + 90)))).toEqual(expectedFields(sets));
      }
    });
  },
);

it('sends the intermediates between the leaf and the root when `chain` is set', async () => {
  await stage.reload({ identity: { headers: ['rfc9440'], chain: true } });
  const { fields } = await relay(['Client-Cert-Chain: :AAAA:']);
  expect(fields.filter(([each]) => /client-cert/i.test(each))).toEqual([
    ['Client-Cert', base64(der)],
    ['Client-Cert-Chain', base64(pki.issuing.der)],
  ]);
});

it('removes the fields in `identity.remove` from the first message after a reload, also on an open connection', async () => {
  await stage.reload({ identity: { headers: ['rfc9440'] } });
  await using client = await stage.connect({ leaf });
  const forged = ['X-User', 'x-user', 'X.USER', 'X-Tenant-Id', 'X-Users'].map((each) => `${each}: forged`);
  const ask = async () => {
    const index = stage.host.requests.length;
    await client.exchange(post({ fields: forged }));
    const { fields } = await stage.host.request(index);
    return fields.flatMap(([each, value]) => (value === 'forged' ? [each] : []));
  };
  expect(await ask()).toEqual(['X-User', 'x-user', 'X.USER', 'X-Tenant-Id', 'X-Users']);
  await stage.reload({ identity: { headers: ['rfc9440'], remove: ['X-User', 'X-Tenant-*'] } });
  expect(await ask()).toEqual(['X-Users']);
  await stage.reload({ identity: { headers: ['rfc9440'] } });
  expect(await ask()).toEqual(['X-User', 'x-user', 'X.USER', 'X-Tenant-Id', 'X-Users']);
});

it('applies a reload to an open connection, and uses the Host field of each message', async () => {
  await stage.reload({ identity: { headers: ['forwarded'] } });
  await using client = await stage.connect({ leaf });
  const ask = async (host: string) => {
    const index = stage.host.requests.length;
    await client.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return stage.host.request(index);
  };
  for (const host of ['a', 'a:1', '[::1]:8443', 'a,for=1']) {
    const quoted = host === 'a' ? host : `"${host}"`;
    const field = (await ask(host)).field('forwarded');
    expect(field).toBe(`for=127.0.0.1;by=127.0.0.1;host=${quoted};proto=https`);
  }
  await stage.reload({ identity: { headers: ['envoy'] } });
  const changed = await ask('a');
  expect([changed.field('forwarded'), changed.field('x-forwarded-client-cert')]).toEqual([
    undefined,
    fieldsBySet.envoy?.[0]?.[1],
  ]);
});

it('names the gateway in XFCC by the URIs of its server certificate', async () => {
  const own = pki.issueServer({ sans: ['IP:127.0.0.1', 'URI:spiffe://ehi/gateway'] });
  await using named = await openStage({
    authority: pki,
    files: { 'named.pem': own.chainPem, 'named.key': own.keyPem },
    config: {
      identity: { headers: ['envoy'] },
      listen: { certificate: { chain: 'named.pem', key: 'named.key' } },
    },
  });
  await named.send(post());
  const field = (await named.host.request(0)).field('x-forwarded-client-cert');
  expect(field).toMatch(/^By=spiffe:\/\/ehi\/gateway;Hash=/);
});

it('writes an IPv6 client address in brackets and quotation marks', async () => {
  await using six = await openStage({
    authority: pki,
    config: { listen: { address: '::1' }, identity: { headers: ['forwarded'] } },
  });
  await six.send(post(), { host: '::1' } as Partial<ClientOptions>);
  const received = await six.host.request(0);
  expect(received.field('forwarded')).toBe('for="[::1]";by="[::1]";host=ehi.example;proto=https');
  expect(received.field('x-forwarded-for')).toBe('::1');
});
