import { getDiffieHellman } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { derElement, tags } from '../../src/pki/der-cursor.ts';
import { derInteger } from '../../src/pki/der-writer.ts';
import { type GroupProbeOptions, probeGroups } from '../../src/probe/groups.ts';
import { groupsOf, namedGroup } from '../../src/probe/named-groups.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith, forward } from '../support/probe/misbehaving-server.ts';
import { openTlsServer } from '../support/probe/tls-server.ts';

const ca = authority();
const rsa = () => {
  const { chainPem: cert, keyPem: key } = ca.issueServer({ key: 'rsa-2048' });
  return { cert, key };
};

const probe = (port: number, version: GroupProbeOptions['version'], timeoutMs = 20_000) =>
  probeGroups({ host: '127.0.0.1', port, servername: 'localhost', timeoutMs, version });

async function groupsAt(settings: TlsOptions, version: GroupProbeOptions['version'] = 'TLS 1.2') {
  await using server = await openTlsServer(ca, settings);
  const { groups, incomplete } = await probe(server.port, version);
  expect(incomplete).toBe(null);
  return groups.map(({ name }) => name);
}

describe('the groups of a server', () => {
  it.each(['TLS 1.0', 'TLS 1.2', 'TLS 1.3'] as const)('are found in %s', async (version) => {
    const ecdhCurve = 'secp384r1:x25519';
    expect(await groupsAt({ ...rsa(), ecdhCurve }, version)).toEqual(['secp384r1', 'x25519']);
  });

  it('include those that only TLS 1.3 has', async () => {
    const ecdhCurve = 'X25519MLKEM768:x448:ffdhe2048';
    expect(await groupsAt({ ecdhCurve }, 'TLS 1.3')).toEqual(['X25519MLKEM768', 'x448', 'ffdhe2048']);
  });

  it('include a weak Diffie-Hellman group of its own', async () => {
    const ciphers = 'DHE-RSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0';
    const settings = { ...rsa(), ciphers, ecdhCurve: 'P-256', dhparam: weakParameters() };
    expect(await groupsAt(settings)).toEqual(['secp256r1', 'dh 1024 bits']);
  });

  it('are found behind the curve of an ECDSA certificate, which the client must offer', async () => {
    const settings = { ecdhCurve: 'secp256r1:x25519:secp521r1', honorCipherOrder: false };
    expect((await groupsAt(settings)).toSorted()).toEqual(['secp256r1', 'secp521r1', 'x25519']);
  });

  it('are found behind the order of a server that prefers the curve of its ECDSA certificate', async () => {
    const [one, other] = [rsa(), ca.issueServer()];
    const settings = { cert: [one.cert, other.chainPem], key: [one.key, other.keyPem] };
    const ecdhCurve = 'secp256r1:secp384r1';
    expect(await groupsAt({ ...settings, ecdhCurve })).toEqual(['secp256r1', 'secp384r1']);
  });

  it('are none where no key exchange is ephemeral', async () => {
    expect(await groupsAt({ ...rsa(), ciphers: 'AES128-SHA:@SECLEVEL=0' })).toEqual([]);
  });

  it('are incomplete where it stops to answer', async () => {
    await using tls = await openTlsServer(ca, {});
    await using server = await answerWith((client) => {
      if (client.before < 1) forward(client, tls.port);
    });
    const found = await probe(server.port, 'TLS 1.3', 200);
    expect(found.groups).toHaveLength(1);
    expect(found.incomplete).toMatchObject({ kind: 'timeout' });
  });
});

describe('the table of groups', () => {
  it('has the strength of each by NIST', () => {
    expect(namedGroup(29)).toEqual({ code: 29, name: 'x25519', strength: 3072 });
    expect(namedGroup(25)).toEqual({ code: 25, name: 'secp521r1', strength: 15360 });
    expect(namedGroup(19)).toEqual({ code: 19, name: 'secp192r1', strength: 1024 });
    expect(namedGroup(0xabcd)).toEqual({ code: 0xabcd, name: '0xabcd', strength: 3072 });
  });

  it('has weak groups before TLS 1.3 only, and hybrids in TLS 1.3 only', () => {
    const names = (version: 'TLS 1.2' | 'TLS 1.3') => groupsOf(version).map(({ name }) => name);
    expect(names('TLS 1.3')).not.toContain('secp192r1');
    expect(names('TLS 1.3')).toContain('X25519MLKEM768');
    expect(names('TLS 1.2')).toContain('secp192r1');
    expect(names('TLS 1.2')).not.toContain('X25519MLKEM768');
  });
});

/** Oakley group 2 (RFC 2409 §6.2) in PEM. */
function weakParameters(): string {
  const prime = getDiffieHellman('modp2').getPrime();
  const der = derElement(tags.sequence, derInteger(BigInt(`0x${prime.toString('hex')}`)), derInteger(2));
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}
