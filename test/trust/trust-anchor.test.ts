import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { buildAnchor } from '../../src/trust/trust-anchor.ts';
import { authority } from '../support/pki/authority.ts';
import { type PkitsCase, pkitsCases, trustAnchor } from '../support/pki/pkits.ts';
import {
  ca,
  certificates,
  issueClient,
  issuing,
  now,
  read,
  readWithSkipped,
  root,
} from '../support/trust/anchor-certificates.ts';

describe('an anchor', () => {
  it('has its root first, whatever the order of the files, and each certificate once', () => {
    expect(read([issuing, root])).toEqual([root.der, issuing.der]);
    expect(read([root, issuing, root])).toEqual([root.der, issuing.der]);
  });

  it('may be a single root', () => {
    expect(read([root])).toEqual([root.der]);
  });

  it('may have CAs below CAs, and lists each after its issuer', () => {
    const below = ca({ subject: { CN: 'below' }, issuer: root });
    const deepest = ca({ subject: { CN: 'deepest' }, issuer: below });
    const sorted = [root.der, below.der, deepest.der];
    fc.assert(
      fc.property(fc.shuffledSubarray([root, below, deepest], { minLength: 3 }), (shuffled) => {
        expect(read(shuffled)).toEqual(sorted);
      }),
    );
  });

  it('may bridge a key rollover of its root: the old key, certified by the new root, is not a second root', () => {
    const renewed = ca({ subject: root.subject });
    const link = ca({ subject: root.subject, issuer: renewed, key: root.privateKey });
    expect(read([issuing, link, renewed])).toEqual([renewed.der, link.der, issuing.der]);
    expect(read([root, renewed]), 'two self-signed roots are refused').toEqual([
      expect.stringContaining(`more than one root: ${certificates(root)[0]?.subject} and `),
    ]);
  });

  it('does not count a self-issued CA certificate towards a path length', () => {
    const top = ca({ subject: { CN: 'top' }, basicConstraints: { ca: true, pathLength: 1 } });
    const middle = ca({ subject: { CN: 'ca' }, issuer: top, basicConstraints: { ca: true, pathLength: 0 } });
    const link = ca({ subject: middle.subject, issuer: middle });
    expect(read([top, middle, link])).toEqual([top.der, middle.der, link.der]);
    const low = ca({ subject: { CN: 'low' }, issuer: link });
    expect(readWithSkipped([top, middle, link, low])).toMatchObject({
      used: [top.der, middle.der, link.der],
      skipped: [{ reason: 'unusable', detail: 'CN=low: no path leads to the root CN=top' }],
    });
  });

  it('applies the path length of the path that allows the most CAs', () => {
    const top = ca({ subject: { CN: 'top' } });
    const narrow = ca({ subject: { CN: 'mid' }, issuer: top, basicConstraints: { ca: true, pathLength: 1 } });
    const wide = ca({ subject: narrow.subject, issuer: top, key: narrow.privateKey });
    const middle = ca({ subject: { CN: 'middle' }, issuer: narrow });
    const low = ca({ subject: { CN: 'low' }, issuer: middle });
    const all = [top, narrow, wide, middle, low].map(({ der }) => der);
    expect(read([top, narrow, wide, middle, low])).toEqual(all);
  });

  it('lists certificates that only sign CRLs last, CA or not', () => {
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

  it.each(['4.4.19', '4.5.1', '4.5.3', '4.5.6'])('accepts the CAs of PKITS %s', (wanted) => {
    const { certificates: below } = pkitsCases.find(({ number }) => number === wanted) as PkitsCase;
    const held = [trustAnchor, ...below].map(parseCertificate);
    const reading = buildAnchor({ name: 'pkits', certificates: held, now: Date.now() });
    expect(reading).toMatchObject({ ok: true, anchor: { certificates: { length: held.length } } });
  });

  it('uses the pinned root, in any spelling of its SHA-256', () => {
    const [{ sha256, x509 }] = certificates(root) as [Certificate];
    expect(read([root, issuing], { rootSha256: sha256 })).toEqual([root.der, issuing.der]);
    expect(read([root, issuing], { rootSha256: x509.fingerprint256 })).toEqual([root.der, issuing.der]);
  });

  it('accepts a root that signed itself with SHA-1, since that signature is not relied on', () => {
    const old = ca({ subject: { CN: 'old' }, key: 'rsa-2048', hash: 'sha1' });
    expect(read([old])).toEqual([old.der]);
  });

  it('is valid up to the last millisecond of every certificate', () => {
    const short = ca({ subject: { CN: 'short' } });
    expect(read([short], { at: now - 1000 })).toEqual([short.der]);
    expect(read([short], { at: now + 1000 })).toEqual([short.der]);
  });
});

describe('an unusable certificate of an anchor is skipped, and the others stay in use', () => {
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
      'a CRL signer that has expired',
      ownIssuing({ keyUsage: ['cRLSign'], basicConstraints: null, notAfter: now - 1000 }),
      { reason: 'expired' },
    ],
    ['a CA with a weak key', ownIssuing({ key: 'rsa-1024' }), { reason: 'unusable' }],
    ['a CA signed with SHA-1', ownIssuing({ hash: 'sha1' }), { reason: 'unusable' }],
    ['a CA of another root', ca({ subject, issuer: ca({ subject }) }), { reason: 'unusable' }],
    ['a leaf', issueClient(), { reason: 'unusable' }],
    ['a CRL signer that another CRL signer issued', signerBelowSigner, { reason: 'unusable' }],
  ])('%s', (_, odd, fault) => {
    const read = readWithSkipped([odd, root, issuing]);
    expect(read).toMatchObject({ skipped: [fault], usable: true });
    expect(read.used).toContainEqual(issuing.der);
  });

  it('except for its dates: an expired or future CA stays in the anchor', () => {
    const next = ownIssuing({ notBefore: now + 1000, notAfter: now + 9000 });
    expect(readWithSkipped([root, next]).usable).toBe(false);
    expect(readWithSkipped([root, next]).used).toEqual([root.der, next.der]);
    expect(readWithSkipped([root, next], { at: now + 1000 })).toMatchObject({ usable: true, skipped: [] });
  });

  it('and the anchor is not usable if no path is valid', () => {
    const old = ownIssuing({ notAfter: now - 1000 });
    expect(readWithSkipped([root, old]).usable).toBe(false);
    const gone = ca({ subject, notAfter: now - 1000 });
    expect(readWithSkipped([gone, ca({ subject: { CN: 'ca' }, issuer: gone })]).usable).toBe(false);
    expect(readWithSkipped([gone]).usable).toBe(false);
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
      `more than one root: ${rootName} and ${rootName}; give each an anchor of its own, or name one of them in rootSha256`,
    ],
    [
      'whose issuing CA shares a trusted name but not its signer’s key',
      [root, stranger.issuing],
      `${issuingName}: no path leads to the root ${rootName}`,
    ],
    [
      'whose root names itself as its issuer but was signed by another key',
      [ca({ subject, issuer: ca({ subject }) })],
      'no self-signed root among the certificates',
    ],
    [
      'with a leaf instead of a CA',
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
      'with a CRL signer that none of its CAs issued',
      [root, crlSigner({ issuer: stranger.root })],
      `CN=crl: no path leads to the root ${rootName}`,
    ],
    [
      'with a weak CRL signer',
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
      'with a CA that has an extension which OpenSSL cannot parse',
      [
        ca({
          subject,
          extensions: [{ oid: '2.5.29.30', value: Buffer.from('3008a006300498022a03', 'hex') }],
        }),
      ],
      'CN=ca: OpenSSL cannot parse one of its extensions',
    ],
    [
      'with policy constraints, which are not processed',
      [ca({ subject, extensions: [{ oid: '2.5.29.36', value: Buffer.from('3000', 'hex') }] })],
      'CN=ca: has extensions that are not processed here: 2.5.29.36',
    ],
  ])('%s', (_, issued, problem) => {
    expect(read(issued)).toContain(problem);
  });

  it('if a path is longer than the path length of a CA allows', () => {
    const top = ca({ subject: { CN: 'top' }, basicConstraints: { ca: true, pathLength: 1 } });
    const middle = ca({ subject: { CN: 'middle' }, issuer: top });
    const low = ca({ subject: { CN: 'low' }, issuer: middle });
    expect(read([top, middle])).toEqual([top.der, middle.der]);
    expect(readWithSkipped([top, middle, low]).skipped).toMatchObject([
      { detail: 'CN=low: no path leads to the root CN=top' },
    ]);
    const below = ca({ subject: { CN: 'low' }, issuer: issuing });
    expect(readWithSkipped([root, issuing, below]).skipped).toMatchObject([
      { detail: `CN=low: no path leads to the root ${rootName}` },
    ]);
  });

  it('if the signature on its issuing CA does not verify', () => {
    const der = Buffer.from(issuing.der);
    der[der.length - 1] = (der.at(-1) as number) ^ 1;
    expect(read([root, { ...issuing, der }])).toEqual([
      `${issuingName}: no path leads to the root ${rootName}`,
    ]);
  });

  it('if its issuing CA names another issuer than the CA that signed it', () => {
    const misnamed = ca({ subject, issuer: { ...root, subject: issuing.subject } });
    expect(read([root, misnamed])).toEqual([`CN=ca: no path leads to the root ${rootName}`]);
  });

  it('if its root is not the pinned one', () => {
    const [{ sha256 }] = certificates(root) as [Certificate];
    expect(read([root, issuing], { rootSha256: '00'.repeat(32) })).toEqual([
      `${rootName}: its SHA-256 is ${sha256?.replaceAll(/..(?!$)/g, '$&:')}, not rootSha256`,
    ]);
  });

  it('with all problems in one report', () => {
    const bad = ca({ subject, key: 'rsa-1024', hash: 'sha1', keyUsage: ['cRLSign'] });
    const worse = ca({ subject, issuer: root, hash: 'sha1', basicConstraints: null });
    expect(read([bad, worse])).toHaveLength(5);
  });
});
