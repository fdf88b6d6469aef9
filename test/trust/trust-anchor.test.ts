import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { isUsable, passedOverAt } from '../../src/trust/skipped-certificates.ts';
import { readAnchor } from '../../src/trust/trust-anchor.ts';
import { authority } from '../support/pki/authority.ts';
import { type PkitsCase, pkitsCases, trustAnchor } from '../support/pki/pkits.ts';

const now = Date.UTC(2026, 0, 15);
const { root, issuing, issueClient } = authority({ now });
const certificates = (...issued: Issued[]): Certificate[] => issued.map(({ der }) => parseCertificate(der));
const ca = (options: Partial<IssueOptions> & { subject: IssueOptions['subject'] }) =>
  issueCertificate({
    notBefore: now - 1000,
    notAfter: now + 1000,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
    ...options,
  });
const read = (issued: Issued[], options: { rootSha256?: string; at?: number } = {}) => {
  const { rootSha256, at = now } = options;
  const reading = readAnchor({ name: 'own', certificates: certificates(...issued), rootSha256, now: at });
  return reading.ok ? reading.anchor.certificates.map(({ der }) => der) : reading.problems;
};
/** The same with what is passed over, as it is told at that moment. */
const readWithFaults = (issued: Issued[], options: { rootSha256?: string; at?: number } = {}) => {
  const { rootSha256, at = now } = options;
  const reading = readAnchor({ name: 'own', certificates: certificates(...issued), rootSha256, now: at });
  if (!reading.ok) throw new Error(reading.problems.join('; '));
  const { anchor } = reading;
  return {
    used: anchor.certificates.map(({ der }) => der),
    passedOver: passedOverAt(anchor, at),
    usable: isUsable(anchor, at),
  };
};

describe('an anchor', () => {
  it('has its root first, whatever the order of the files, and each certificate once', () => {
    expect(read([issuing, root])).toEqual([root.der, issuing.der]);
    expect(read([root, issuing, root])).toEqual([root.der, issuing.der]);
  });

  it('may be a root alone', () => {
    expect(read([root])).toEqual([root.der]);
  });

  it('may have CAs below CAs, and lists each after its signer', () => {
    const below = ca({ subject: { CN: 'below' }, issuer: root });
    const deepest = ca({ subject: { CN: 'deepest' }, issuer: below });
    const sorted = [root.der, below.der, deepest.der];
    fc.assert(
      fc.property(fc.shuffledSubarray([root, below, deepest], { minLength: 3 }), (shuffled) => {
        expect(read(shuffled)).toEqual(sorted);
      }),
    );
  });

  it('may bridge a root’s change of keys: the old key, certified by the new root, is no second root', () => {
    const renewed = ca({ subject: root.subject });
    const link = ca({ subject: root.subject, issuer: renewed, key: root.privateKey });
    expect(read([issuing, link, renewed])).toEqual([renewed.der, link.der, issuing.der]);
    expect(read([root, renewed]), 'but two roots are').toEqual([
      expect.stringContaining(`more than one root: ${certificates(root)[0]?.subject} and `),
    ]);
  });

  it('does not count a CA’s certificate for its own other key against a path length', () => {
    const top = ca({ subject: { CN: 'top' }, basicConstraints: { ca: true, pathLength: 1 } });
    const middle = ca({ subject: { CN: 'ca' }, issuer: top, basicConstraints: { ca: true, pathLength: 0 } });
    const link = ca({ subject: middle.subject, issuer: middle });
    expect(read([top, middle, link])).toEqual([top.der, middle.der, link.der]);
    const low = ca({ subject: { CN: 'low' }, issuer: link });
    expect(readWithFaults([top, middle, link, low])).toMatchObject({
      used: [top.der, middle.der, link.der],
      passedOver: [{ reason: 'unusable', detail: 'CN=low: no path leads to the root CN=top' }],
    });
  });

  it('counts a path length on the way that leaves the most', () => {
    const top = ca({ subject: { CN: 'top' } });
    const narrow = ca({ subject: { CN: 'mid' }, issuer: top, basicConstraints: { ca: true, pathLength: 1 } });
    const wide = ca({ subject: narrow.subject, issuer: top, key: narrow.privateKey });
    const middle = ca({ subject: { CN: 'middle' }, issuer: narrow });
    const low = ca({ subject: { CN: 'low' }, issuer: middle });
    const all = [top, narrow, wide, middle, low].map(({ der }) => der);
    expect(read([top, narrow, wide, middle, low])).toEqual(all);
  });

  it('may have certificates that only sign CRLs, CA or not, last of all', () => {
    const only = { keyUsage: ['cRLSign'], issuer: root } as const;
    const signer = ca({ ...only, subject: { CN: 'crl' }, basicConstraints: null });
    const sameName = ca({ ...only, subject: root.subject });
    expect(read([signer, sameName, root, issuing])).toEqual([
      root.der,
      issuing.der,
      signer.der,
      sameName.der,
    ]);
  });

  it.each(['4.4.19', '4.5.1', '4.5.3', '4.5.6'])('may be that of PKITS %s', (wanted) => {
    const { certificates: below } = pkitsCases.find(({ number }) => number === wanted) as PkitsCase;
    const held = [trustAnchor, ...below].map(parseCertificate);
    const reading = readAnchor({ name: 'pkits', certificates: held, now: Date.now() });
    expect(reading).toMatchObject({ ok: true, anchor: { certificates: { length: held.length } } });
  });

  it('takes the pinned root, in any spelling of its SHA-256', () => {
    const [{ sha256, x509 }] = certificates(root) as [Certificate];
    expect(read([root, issuing], { rootSha256: sha256 })).toEqual([root.der, issuing.der]);
    expect(read([root, issuing], { rootSha256: x509.fingerprint256 })).toEqual([root.der, issuing.der]);
  });

  it('may have a root that signed itself with SHA-1, since nobody relies on that signature', () => {
    const old = ca({ subject: { CN: 'old' }, key: 'rsa-2048', hash: 'sha1' });
    expect(read([old])).toEqual([old.der]);
  });

  it('is valid up to the last millisecond of every certificate', () => {
    const short = ca({ subject: { CN: 'short' } });
    expect(read([short], { at: now - 1000 })).toEqual([short.der]);
    expect(read([short], { at: now + 1000 })).toEqual([short.der]);
  });
});

describe('a certificate of an anchor that cannot be used is passed over, and the others serve', () => {
  const subject = { CN: 'odd' };
  const ownIssuing = (options: Partial<IssueOptions>) => ca({ subject, issuer: root, ...options });
  const signer = ownIssuing({ keyUsage: ['cRLSign'], basicConstraints: null });
  const signerBelowSigner = ca({ subject, issuer: signer, keyUsage: ['cRLSign'], basicConstraints: null });

  it.each<[string, Issued, object]>([
    [
      'an issuing CA that has expired',
      ownIssuing({ notAfter: now - 1000 }),
      { reason: 'expired', detail: 'CN=odd: expired at 2026-01-14T23:59:59.000Z' },
    ],
    [
      'an issuing CA that is not valid yet',
      ownIssuing({ notBefore: now + 1000, notAfter: now + 9000 }),
      { reason: 'not_yet_valid', detail: 'CN=odd: is not valid before 2026-01-15T00:00:01.000Z' },
    ],
    [
      'a signer of CRLs that has expired',
      ownIssuing({ keyUsage: ['cRLSign'], basicConstraints: null, notAfter: now - 1000 }),
      { reason: 'expired' },
    ],
    ['a CA with a weak key', ownIssuing({ key: 'rsa-1024' }), { reason: 'unusable' }],
    ['a CA signed with SHA-1', ownIssuing({ hash: 'sha1' }), { reason: 'unusable' }],
    ['a CA of a stranger', ca({ subject, issuer: ca({ subject }) }), { reason: 'unusable' }],
    ['a leaf', issueClient(), { reason: 'unusable' }],
    ['a signer of CRLs that another signer of CRLs issued', signerBelowSigner, { reason: 'unusable' }],
  ])('%s', (_, odd, fault) => {
    const read = readWithFaults([odd, root, issuing]);
    expect(read).toMatchObject({ passedOver: [fault], usable: true });
    expect(read.used).toContainEqual(issuing.der);
  });

  it('whatever the dates are: time alone takes no CA out of the anchor, and none has to be put back', () => {
    const next = ownIssuing({ notBefore: now + 1000, notAfter: now + 9000 });
    expect(readWithFaults([root, next]).usable).toBe(false);
    expect(readWithFaults([root, next]).used).toEqual([root.der, next.der]);
    expect(readWithFaults([root, next], { at: now + 1000 })).toMatchObject({ usable: true, passedOver: [] });
  });

  it('and where nothing is left that is valid now, the anchor is not usable', () => {
    const old = ownIssuing({ notAfter: now - 1000 });
    expect(readWithFaults([root, old]).usable).toBe(false);
    const gone = ca({ subject, notAfter: now - 1000 });
    expect(readWithFaults([gone, ca({ subject: { CN: 'ca' }, issuer: gone })]).usable).toBe(false);
    expect(readWithFaults([gone]).usable).toBe(false);
  });
});

describe('a root that was renewed under its key', () => {
  const subject = { CN: 'renewed' };
  const old = ca({ subject, notAfter: now + 1000 });
  const renewed = ca({ subject, key: old.privateKey, notAfter: now + 9000 });
  const below = ca({ subject: { CN: 'below' }, issuer: old, notAfter: now + 9000 });

  it('is one root, the certificate that lasts longest first', () => {
    for (const order of [
      [old, renewed, below],
      [below, renewed, old],
    ])
      expect(readWithFaults(order)).toEqual({
        used: [renewed.der, old.der, below.der],
        passedOver: [],
        usable: true,
      });
  });

  it('goes on when its former certificate has expired, and before the new one is valid', () => {
    expect(readWithFaults([old, renewed, below], { at: now + 1001 })).toMatchObject({
      used: [renewed.der, old.der, below.der],
      passedOver: [{ reason: 'expired' }],
      usable: true,
    });
    const next = ca({ subject, key: old.privateKey, notBefore: now + 1000, notAfter: now + 9000 });
    expect(readWithFaults([old, next, below])).toMatchObject({
      passedOver: [{ reason: 'not_yet_valid' }],
      usable: true,
    });
  });

  it('is the pinned one where either certificate is', () => {
    for (const { sha256 } of certificates(old, renewed))
      expect(readWithFaults([old, renewed, below], { rootSha256: sha256 })).toMatchObject({ usable: true });
  });

  it('issued CAs that name the serial of its former certificate', () => {
    const authoritySerial = parseCertificate(old.der).serialOctets;
    const named = ca({ subject: { CN: 'named' }, issuer: old, authoritySerial });
    expect(readWithFaults([renewed, named])).toMatchObject({
      used: [renewed.der, named.der],
      passedOver: [],
    });
  });
});

describe('a root with another key', () => {
  const former = ca({ subject: { CN: 'former' }, notAfter: now - 1000 });

  it('is passed over when it has expired', () => {
    expect(readWithFaults([former, root, issuing])).toMatchObject({
      used: [root.der, issuing.der],
      passedOver: [{ reason: 'expired', detail: 'CN=former: expired at 2026-01-14T23:59:59.000Z' }],
    });
  });

  it('is passed over when the pin names the other one', () => {
    const other = ca({ subject: { CN: 'other' } });
    const [{ sha256 }] = certificates(root) as [Certificate];
    expect(readWithFaults([other, root, issuing], { rootSha256: sha256 })).toMatchObject({
      used: [root.der, issuing.der],
      passedOver: [{ reason: 'unusable', detail: 'CN=other: another root than rootSha256 names' }],
    });
  });
});

describe('an anchor is refused', () => {
  const stranger = authority({ now });
  const rootName = 'CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB';
  const issuingName = rootName.replace('Root', 'Issuing');
  const subject = { CN: 'ca' };
  const crlSigner = (options: Partial<IssueOptions> = {}) =>
    ca({ subject: { CN: 'crl' }, issuer: root, basicConstraints: null, keyUsage: ['cRLSign'], ...options });

  it.each<[string, Issued[], string]>([
    ['without a certificate', [], 'no self-signed root among the certificates'],
    ['without a root', [issuing], 'no self-signed root among the certificates'],
    [
      'with two roots',
      [root, stranger.root],
      `more than one root: ${rootName} and ${rootName}; each needs an anchor of its own, or rootSha256 says which one is meant`,
    ],
    [
      'whose issuing CA shares a trusted name but not its signer’s key',
      [root, stranger.issuing],
      `${issuingName}: no path leads to the root ${rootName}`,
    ],
    [
      'whose root only names itself as its issuer, signed by another key',
      [ca({ subject, issuer: ca({ subject }) })],
      'no self-signed root among the certificates',
    ],
    [
      'with a leaf in the place of its CA',
      [root, issueClient()],
      'CN=Example client,OU=Example organisation,O=Example,C=GB: is no CA certificate (basicConstraints)',
    ],
    [
      'with a CA of version 1',
      [issueCertificate({ subject, notBefore: now, notAfter: now, version: 1 })],
      'CN=ca: is no CA certificate (basicConstraints)',
    ],
    [
      'whose CA may not sign certificates',
      [ca({ subject, keyUsage: ['cRLSign'] })],
      'CN=ca: its key usage lacks keyCertSign',
    ],
    [
      'with a root that may only sign CRLs, though it is one',
      [root, ca({ subject, keyUsage: ['cRLSign'] })],
      'CN=ca: its key usage lacks keyCertSign',
    ],
    [
      'with a signer of CRLs that no CA of it issued',
      [root, crlSigner({ issuer: stranger.root })],
      `CN=crl: no path leads to the root ${rootName}`,
    ],
    [
      'with a weak signer of CRLs',
      [root, crlSigner({ key: 'rsa-1024', hash: 'sha1' })],
      'CN=crl: has an RSA key of 1024 bits',
    ],
    [
      'with a certificate that may sign neither certificates nor CRLs',
      [root, crlSigner({ keyUsage: ['digitalSignature'] })],
      'CN=crl: is no CA certificate (basicConstraints)',
    ],
    [
      'with a CA’s own certificate for another key, signed with SHA-1',
      [root, ca({ subject: root.subject, issuer: root, hash: 'sha1' })],
      `${rootName}: has a signature with SHA-1`,
    ],
    ['with a weak key', [ca({ subject, key: 'rsa-1024' })], 'CN=ca: has an RSA key of 1024 bits'],
    [
      'with a CA signed with SHA-1',
      [root, ca({ subject, issuer: root, hash: 'sha1' })],
      'CN=ca: has a signature with SHA-1',
    ],
    [
      'with policy constraints, which are not processed',
      [ca({ subject, extensions: [{ oid: '2.5.29.36', value: Buffer.from('3000', 'hex') }] })],
      'CN=ca: has extensions that are not processed here: 2.5.29.36',
    ],
  ])('%s', (_, issued, problem) => {
    expect(read(issued)).toContain(problem);
  });

  it('when a path is longer than a CA above it allows', () => {
    const top = ca({ subject: { CN: 'top' }, basicConstraints: { ca: true, pathLength: 1 } });
    const middle = ca({ subject: { CN: 'middle' }, issuer: top });
    const low = ca({ subject: { CN: 'low' }, issuer: middle });
    expect(read([top, middle])).toEqual([top.der, middle.der]);
    expect(readWithFaults([top, middle, low]).passedOver).toMatchObject([
      { detail: 'CN=low: no path leads to the root CN=top' },
    ]);
    const below = ca({ subject: { CN: 'low' }, issuer: issuing });
    expect(readWithFaults([root, issuing, below]).passedOver).toMatchObject([
      { detail: `CN=low: no path leads to the root ${rootName}` },
    ]);
  });

  it('when the signature of its issuing CA does not verify', () => {
    const der = Buffer.from(issuing.der);
    der[der.length - 1] = (der.at(-1) as number) ^ 1;
    expect(read([root, { ...issuing, der }])).toEqual([
      `${issuingName}: no path leads to the root ${rootName}`,
    ]);
  });

  it('when its issuing CA names another issuer than the one that signed it', () => {
    const misnamed = ca({ subject, issuer: { ...root, subject: issuing.subject } });
    expect(read([root, misnamed])).toEqual([`CN=ca: no path leads to the root ${rootName}`]);
  });

  it('when its root is not the pinned one', () => {
    const [{ sha256 }] = certificates(root) as [Certificate];
    expect(read([root, issuing], { rootSha256: '00'.repeat(32) })).toEqual([
      `${rootName}: its SHA-256 is ${sha256?.replaceAll(/..(?!$)/g, '$&:')}, not rootSha256`,
    ]);
  });

  it('with every problem at once', () => {
    const bad = ca({ subject, key: 'rsa-1024', hash: 'sha1', keyUsage: ['cRLSign'] });
    const worse = ca({ subject, issuer: root, hash: 'sha1', basicConstraints: null });
    expect(read([bad, worse])).toHaveLength(5);
  });
});
