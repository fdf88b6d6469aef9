/** The fields of a connection: the format of RFC 7239, and when they are made again. */
import { expect, it } from 'vitest';
import type { ClientPermit } from '../../src/identity/authorize.ts';
import { requestFields } from '../../src/message/field-forwarding.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { HeaderSet } from '../../src/policy/snapshot.ts';
import { IdentityFields } from '../../src/relay/compiled-header-sets.ts';
import { ForwardedIdentity } from '../../src/relay/forwarded-identity.ts';
import { parseProxyHeader } from '../../src/source/proxy-parser.ts';
import { authority } from '../support/pki/authority.ts';

const pki = authority();
const leaf = parseCertificate(pki.issueClient().der);
const permit = { leaf, path: [leaf] } as unknown as ClientPermit;
const choice = (...sets: HeaderSet[]) => new IdentityFields({ sets, chain: false, by: [] });
const forwarded = choice('forwarded');

function identityOf(
  address: string,
  localAddress: string | undefined = '192.0.2.1',
  port: number | null = 40001,
) {
  return new ForwardedIdentity({ connId: 'c-1', permit, address, port }, { localAddress, localPort: 8443 });
}

it.each([
  ['203.0.113.7', '192.0.2.1', 'a.example', 'for=203.0.113.7;by=192.0.2.1;host=a.example;proto=https'],
  ['2001:db8::1', '::1', 'a', 'for="[2001:db8::1]";by="[::1]";host=a;proto=https'],
  ['203.0.113.7', '::ffff:192.0.2.1', 'a', 'for=203.0.113.7;by=192.0.2.1;host=a;proto=https'],
  ['fe80::1%eth0', 'fe80::2%eth0', 'a', 'for="[fe80::1]";by="[fe80::2]";host=a;proto=https'],
  ['203.0.113.7', '192.0.2.1', 'a:8443', 'for=203.0.113.7;by=192.0.2.1;host="a:8443";proto=https'],
  ['203.0.113.7', '192.0.2.1', '[::1]:1', 'for=203.0.113.7;by=192.0.2.1;host="[::1]:1";proto=https'],
  ['203.0.113.7', '192.0.2.1', 'a,for=1;b', 'for=203.0.113.7;by=192.0.2.1;host="a,for=1;b";proto=https'],
  ['203.0.113.7', '192.0.2.1', null, 'for=203.0.113.7;by=192.0.2.1;proto=https'],
  ['', '192.0.2.1', null, 'for=unknown;by=192.0.2.1;proto=https'],
])('Forwarded from %j at %j for Host %j', (address, local, host, value) => {
  const [field, ...others] = identityOf(address, local).fields(forwarded, host).split('\r\n');
  expect(field).toBe(`Forwarded: ${value}`);
  expect(others).toEqual([`X-Forwarded-For: ${address}`, 'X-Forwarded-Proto: https', '']);
});

it('omits an address that is unknown', () => {
  const identity = new ForwardedIdentity({ connId: 'c-1', permit, address: '::1', port: 1 }, {});
  expect(identity.fields(forwarded, 'a')).toMatch(/^Forwarded: for="\[::1\]";host=a;proto=https\r\n/);
  expect(parseProxyHeader(identity.proxyHeader)).toMatchObject({ source: null });
});

it('contains Host only in Forwarded, and follows the policy and the request', () => {
  const identity = identityOf('203.0.113.7');
  const plain = choice('rfc9440');
  const first = identity.fields(plain, 'a');
  expect(identity.fields(plain, 'b')).toBe(first);
  expect(identity.fields(forwarded, 'b')).toContain('host=b');
  expect(identity.fields(forwarded, 'c')).toContain('host=c');
  expect(identity.fields(forwarded, null)).not.toContain('host=');
  expect(identity.fields(plain, null)).toBe(first);
});

it('uses only names that are removed from the client’s fields', () => {
  const names =
    identityOf('::1')
      .fields(choice('rfc9440', 'forwarded'), 'a')
      .match(/^[^:\r\n]+/gm) ?? [];
  expect(names).toHaveLength(4);
  expect(names.map(requestFields.rule)).toEqual(names.map(() => 'drop'));
});

it('makes the PROXY header once', () => {
  const identity = identityOf('203.0.113.7');
  expect(identity.proxyHeader).toBe(identity.proxyHeader);
  expect(parseProxyHeader(identity.proxyHeader)).toMatchObject({
    source: { address: '203.0.113.7', port: 40001 },
  });
  expect(identity.proxyHeader.subarray(-6).toString('latin1')).toBe('\x05\0\x03c-1');
});
