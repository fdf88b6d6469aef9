/** `clients.registered` as a pure check: which certificates and keys are registered, and what is denied with which reason. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authorizeClient } from '../../src/identity/authorize.ts';
import type { IdentityPolicy } from '../../src/identity/client-checks.ts';
import { LeafReader } from '../../src/identity/leaf-reader.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { noRevocation, Registrations, registeredAnchor } from '../../src/identity/registration.ts';
import type { IssueOptions } from '../../src/issuing/certificate.ts';
import { readKeySet } from '../../src/jose/key-set.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeKey } from '../../src/pki/key.ts';
import type { PublicJwk, RegisteredPolicy } from '../../src/policy/snapshot.ts';
import { RevocationCheck } from '../../src/revocation/judgement.ts';
import { identityPolicy } from '../support/identity/policy.ts';
import { selfSigned, setFor } from '../support/identity/self-signed.ts';
import { authority } from '../support/pki/authority.ts';

type Certified = { readonly der: Uint8Array };

const pki = authority();
const anchor = [pki.root.der, pki.issuing.der].map(parseCertificate);
const [member, other] = [pki.issueClient(), pki.issueClient()];
/** Another certificate for the same key. */
const renewed = pki.issueClient({ key: member.privateKey });
const now = Date.now();

const keysOf = (...clients: Certified[]): readonly PublicJwk[] => {
  const set = readKeySet(Buffer.from(setFor(...clients)));
  if (!set.ok) throw new Error(set.problem);
  return set.keys;
};

interface Options extends Partial<RegisteredPolicy> {
  readonly active: readonly PublicJwk[] | null;
  readonly inactiveKeys?: readonly PublicJwk[] | null;
}

function registrations({ active, inactiveKeys, ...changes }: Options): Registrations {
  const inactive = inactiveKeys === undefined ? null : 'inactive';
  const policy = { keys: 'active', inactive, compare: 'certificate', mode: 'enforce', alone: false } as const;
  return new Registrations({ ...policy, ...changes }, [
    { source: 'active', keys: active },
    { source: 'inactive', keys: inactiveKeys ?? null },
  ]);
}

function judge({ der }: Certified, policy: IdentityPolicy, at = now) {
  const peer = { leaf: new X509Certificate(der), opensslCode: null };
  return authorizeClient({ source: { allowed: true }, peer, now: at }, policy).verdict;
}

const reasonOf = (verdict: ReturnType<typeof judge>) => (verdict.allow ? 'allow' : verdict.reason);

describe('clients.registered beside the chain', () => {
  const check = (client: Certified, options: Options) =>
    judge(client, identityPolicy(anchor, { registered: registrations(options) }));

  it.each([
    ['the registered certificate', member, 'certificate', 'allow'],
    ['the registered certificate', member, 'key', 'allow'],
    ['another certificate of the same key', renewed, 'certificate', 'not_registered'],
    ['another certificate of the same key', renewed, 'key', 'allow'],
    ['another client of the same CA', other, 'certificate', 'not_registered'],
    ['another client of the same CA', other, 'key', 'not_registered'],
  ] as const)('%s, compared by %s: %s', (_what, client, compare, reason) => {
    expect(reasonOf(check(client, { active: keysOf(member), compare }))).toBe(reason);
  });

  it('does not replace the chain: a registered certificate of another CA is denied', () => {
    const stranger = authority().issueClient();
    expect(reasonOf(check(stranger, { active: keysOf(stranger) }))).toBe('untrusted');
  });

  it('denies an inactive certificate though the set still has it, and permits its successor', () => {
    const options = { active: [...keysOf(member), ...keysOf(renewed)], inactiveKeys: keysOf(member) };
    expect(reasonOf(check(member, options))).toBe('registration_inactive');
    expect(reasonOf(check(renewed, options))).toBe('allow');
    // By key both are the same client.
    expect(reasonOf(check(renewed, { ...options, compare: 'key' }))).toBe('registration_inactive');
  });

  it('denies each certificate of a key that is inactive without a certificate', () => {
    const inactiveKeys = keysOf(member).map((key) => ({ ...key, certificate: null }));
    const active = [...keysOf(member), ...keysOf(other)];
    expect(reasonOf(check(member, { active, inactiveKeys }))).toBe('registration_inactive');
    expect(reasonOf(check(other, { active, inactiveKeys }))).toBe('allow');
  });

  it('denies everyone while a set was never read, the set of inactive keys too', () => {
    expect(check(member, { active: null })).toMatchObject({
      reason: 'registration_unknown',
      detail: 'the set of clients.registered was never read from active',
    });
    expect(check(member, { active: keysOf(member), inactiveKeys: null })).toMatchObject({
      reason: 'registration_unknown',
      detail: 'the set of clients.registered was never read from inactive',
    });
    expect(reasonOf(check(member, { active: [] }))).toBe('not_registered');
  });

  it('names what was presented, and says when only the certificate of a registered key is new', () => {
    const { thumbprint } = parseCertificate(renewed.der);
    const [{ thumbprint: key }] = keysOf(renewed) as [PublicJwk];
    expect(check(renewed, { active: keysOf(member) })).toMatchObject({
      detail: `the certificate is not in clients.registered: x5t#S256 ${thumbprint}, thumbprint of its key ${key}. Its key is registered with another certificate: probably the certificate was renewed and not registered yet`,
    });
    expect(check(other, { active: keysOf(member) })).toMatchObject({
      detail: expect.stringMatching(/thumbprint of its key [\w-]{43}$/),
    });
  });

  it('does not find a key without a certificate by certificate', () => {
    const active = keysOf(member).map((key) => ({ ...key, certificate: null }));
    expect(reasonOf(check(member, { active }))).toBe('not_registered');
    expect(reasonOf(check(member, { active, compare: 'key' }))).toBe('allow');
  });
});

describe('clients.registered in place of the anchors', () => {
  const policyOf = (options: Options): IdentityPolicy => ({
    ...identityPolicy([]),
    paths: new PathCache([], new LeafReader(), { isAlone: true }),
    opensslHasAnchors: false,
    registered: registrations({ ...options, alone: true }),
    revocation: new Map([[registeredAnchor, new RevocationCheck(noRevocation, [])]]),
  });
  const registeredWith = (changes: Partial<IssueOptions>) => {
    const client = selfSigned('mosaic', changes);
    return { client, policy: policyOf({ active: keysOf(client) }) };
  };
  const mosaic = selfSigned('mosaic');
  const policy = policyOf({ active: keysOf(mosaic) });

  it('permits a registered self-signed client, until its certificate expires', () => {
    const verdict = judge(mosaic, policy);
    expect(verdict).toMatchObject({
      allow: true,
      permit: {
        anchor: 'registered',
        revocation: 'not_checked',
        validUntil: parseCertificate(mosaic.der).notAfter,
      },
    });
    expect(verdict.allow && verdict.permit.path).toHaveLength(1);
    expect(verdict.allow && verdict.permit.issuer).toBe(verdict.allow && verdict.permit.leaf);
  });

  it('denies a stranger as not registered, also one that has copied the names of a client', () => {
    expect(reasonOf(judge(selfSigned('mosaic'), policy))).toBe('not_registered');
    expect(reasonOf(judge(pki.issueClient(), policy))).toBe('not_registered');
  });

  it('permits a registered certificate of a CA: nothing is asked of its issuer', () => {
    expect(reasonOf(judge(member, policyOf({ active: keysOf(member) })))).toBe('allow');
  });

  it('permits what `openssl req -x509` makes: a self-signed certificate that calls itself a CA', () => {
    const { client, policy: own } = registeredWith({
      basicConstraints: { ca: true },
      keyUsage: ['digitalSignature', 'keyCertSign'],
    });
    expect(reasonOf(judge(client, own))).toBe('allow');
  });

  it.each<[string, Partial<IssueOptions>, string]>([
    ['that has expired', { notBefore: now - 2000, notAfter: now - 1000 }, 'expired'],
    ['that is not valid yet', { notBefore: now + 60_000 }, 'not_yet_valid'],
    ['for servers', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, 'wrong_purpose'],
    ['that may not sign', { keyUsage: ['keyEncipherment'] }, 'wrong_purpose'],
    ['signed with SHA-1', { hash: 'sha1', key: makeKey('rsa-2048') }, 'weak_signature'],
    ['of version 1', { version: 1 }, 'invalid_leaf'],
    [
      'with an unknown critical extension',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.from([5, 0]) }] },
      'unsupported_extension',
    ],
  ])('still denies a registered certificate %s', (_what, changes, reason) => {
    const { client, policy: own } = registeredWith(changes);
    expect(reasonOf(judge(client, own))).toBe(reason);
  });

  it('still denies a weak key that was registered by its certificate', () => {
    const client = selfSigned('weak', { key: makeKey('rsa-1024') });
    const [key] = keysOf(mosaic) as [PublicJwk];
    const { thumbprint: certificate } = parseCertificate(client.der);
    expect(reasonOf(judge(client, policyOf({ active: [{ ...key, certificate }] })))).toBe('weak_key');
  });

  it('still denies the certificate of a CA below another one', () => {
    const { issuing } = pki;
    expect(reasonOf(judge(issuing, policyOf({ active: keysOf(issuing) })))).toBe('ca_as_leaf');
  });

  it('keeps nothing of a client that is not registered', () => {
    const paths = new PathCache([], new LeafReader(), { isAlone: true });
    for (const stranger of [selfSigned('a'), selfSigned('b')]) judge(stranger, { ...policy, paths });
    expect(paths.size).toBe(0);
    judge(mosaic, { ...policy, paths });
    expect(paths.size).toBe(1);
  });
});
