import { describe, expect, it } from 'vitest';
import { type PathAnchor, validatePath } from '../../src/identity/path.ts';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { purposes } from '../../src/issuing/development.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }): Certificate => parseCertificate(der);
const anchorOf = (name: string, ...certificates: Issued[]): PathAnchor => ({
  name,
  certificates: certificates.map(parse),
});
const own = anchorOf('own', pki.root, pki.issuing);

const judge = (leaf: Issued, anchors: readonly PathAnchor[] = [own], at = now) =>
  validatePath(parse(leaf), { anchors, now: at });
const outcome = (leaf: Issued, anchors?: readonly PathAnchor[], at?: number) => {
  const verdict = judge(leaf, anchors, at);
  return verdict.allow ? verdict.permit.anchor : verdict.reason;
};

const ca = (options: Partial<IssueOptions> & Pick<IssueOptions, 'subject'>): Issued =>
  issueCertificate({
    notBefore: now - hour,
    notAfter: now + hour,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
    ...options,
  });

const extension = (oid: string, hex: string, critical = false) => ({
  oid,
  critical,
  value: Buffer.from(hex, 'hex'),
});
const certType = (bits: number, critical?: boolean) =>
  extension('2.16.840.1.113730.1.1', `030200${bits.toString(16)}`, critical);
const nameConstraints = (hex: string) => extension('2.5.29.30', hex, true);
const accessInformation = '3015301306082b060105050730018607687474703a2f2f';

describe('a leaf', () => {
  it('passes with its path, leaf first and root last, and the period in which all of the path is valid', () => {
    const leaf = pki.issueClient({ notBefore: now - 2 * hour, notAfter: now + 3 * hour });
    const verdict = judge(leaf);
    expect(verdict.allow && verdict.permit.certificates.map(({ subject }) => subject)).toEqual(
      [leaf, pki.issuing, pki.root].map((each) => parse(each).subject),
    );
    expect(verdict).toMatchObject({
      allow: true,
      permit: { anchor: 'own', notBefore: now - 2 * hour, notAfter: now + 3 * hour },
    });
  });

  const leaves: [string, Partial<IssueOptions>, string][] = [
    ['without any extension but its key identifiers', { keyUsage: null }, 'own'],
    ['with the extended key usage clientAuth', { extendedKeyUsage: [purposes.clientAuth] }, 'own'],
    ['with clientAuth among others', { extendedKeyUsage: [purposes.serverAuth, purposes.clientAuth] }, 'own'],
    ['with anyExtendedKeyUsage alone', { extendedKeyUsage: ['2.5.29.37.0'] }, 'wrong_purpose'],
    [
      'with anyExtendedKeyUsage and clientAuth',
      { extendedKeyUsage: ['2.5.29.37.0', purposes.clientAuth] },
      'own',
    ],
    ['with the Netscape type SSL client', { extensions: [certType(0x80)] }, 'own'],
    ['with the Netscape type SSL server', { extensions: [certType(0x40)] }, 'wrong_purpose'],
    ['with the Netscape type SSL server, critical', { extensions: [certType(0x40, true)] }, 'wrong_purpose'],
    ['of version 1', { version: 1 }, 'invalid_leaf'],
    ['with keyCertSign', { keyUsage: ['digitalSignature', 'keyCertSign'] }, 'invalid_leaf'],
    ['with name constraints', { extensions: [nameConstraints('3009a0073005820361626f')] }, 'invalid_leaf'],
    [
      'with name constraints that have a distance',
      { extensions: [nameConstraints('300aa0083006820161800101')] },
      'invalid_leaf',
    ],
    ['with empty name constraints', { extensions: [nameConstraints('3000')] }, 'invalid_leaf'],
    [
      'with a critical authority information access',
      { extensions: [extension('1.3.6.1.5.5.7.1.1', accessInformation, true)] },
      'unsupported_extension',
    ],
    [
      'with the same, not critical',
      { extensions: [extension('1.3.6.1.5.5.7.1.1', accessInformation)] },
      'own',
    ],
    [
      'with AS numbers (RFC 3779)',
      { extensions: [extension('1.3.6.1.5.5.7.1.8', '3007a0053003020105')] },
      'unsupported_extension',
    ],
    ['with serverAuth alone', { extendedKeyUsage: [purposes.serverAuth] }, 'wrong_purpose'],
    ['with a key usage for signing and more', { keyUsage: ['digitalSignature', 'keyAgreement'] }, 'own'],
    ['with a key usage without digitalSignature', { keyUsage: ['keyAgreement'] }, 'wrong_purpose'],
    ['with cA FALSE', { basicConstraints: { ca: false } }, 'own'],
    ['with cA TRUE', { basicConstraints: { ca: true } }, 'ca_as_leaf'],
    ['with a key on P-384', { key: 'P-384' }, 'own'],
    ['with a key on P-521', { key: 'P-521' }, 'own'],
    ['with an RSA key of 2048 bits', { key: 'rsa-2048' }, 'own'],
    ['with an RSA key of 1024 bits', { key: 'rsa-1024' }, 'weak_key'],
    ['with a key on secp256k1', { key: 'secp256k1' }, 'weak_key'],
    ['with a DSA key', { key: 'dsa-1024' }, 'weak_key'],
    ['signed with SHA-384', { hash: 'sha384' }, 'own'],
    ['signed with SHA-1', { hash: 'sha1' }, 'weak_signature'],
    [
      'with a critical extension that is unknown',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) }] },
      'unsupported_extension',
    ],
    [
      'with an unknown extension that is not critical',
      { extensions: [{ oid: '1.2.3.4', value: Buffer.of(5, 0) }] },
      'own',
    ],
    ['that ends before now', { notAfter: now - 1000 }, 'expired'],
    ['that begins after now', { notBefore: now + 1000 }, 'not_yet_valid'],
  ];

  it.each(leaves)('%s', (_what, options, expected) => {
    const defaults = { notBefore: now - 2 * hour, notAfter: now + hour };
    expect(outcome(pki.issueClient({ ...defaults, ...options }))).toBe(expected);
  });

  it('signed with MD5 is weak', () => {
    const rsa = authority({ now, key: 'rsa-2048' });
    const anchors = [anchorOf('rsa', rsa.root, rsa.issuing)];
    expect(outcome(rsa.issueClient({ hash: 'md5' }), anchors)).toBe('weak_signature');
    expect(outcome(rsa.issueClient({ hash: 'sha1', pss: true }), anchors)).toBe('weak_signature');
    expect(outcome(rsa.issueClient({ pss: true }), anchors)).toBe('rsa');
  });

  it('is valid from notBefore to notAfter, both included', () => {
    const leaf = pki.issueClient({ notBefore: now, notAfter: now + hour });
    expect([now - 1, now, now + hour, now + hour + 1].map((at) => outcome(leaf, [own], at))).toEqual([
      'not_yet_valid',
      'own',
      'own',
      'expired',
    ]);
  });

  it('that is untrusted and also weak, expired or for another purpose has the reason untrusted', () => {
    const other = authority({ now });
    for (const options of [
      { key: 'rsa-1024' },
      { notAfter: now - 1 },
      { extendedKeyUsage: [purposes.serverAuth] },
    ] as const) {
      expect(outcome(other.issueClient(options))).toBe('untrusted');
    }
  });
});

describe('a path', () => {
  it('has the validity of its CAs: a leaf below an expired or future CA is expired or not yet valid', () => {
    const leafOf = (issuing: Partial<IssueOptions>) => {
      const made = authority({ now, issuing });
      return [made.issueClient(), [anchorOf('own', made.root, made.issuing)]] as const;
    };
    expect(outcome(...leafOf({ notAfter: now - 1000 }))).toBe('expired');
    expect(outcome(...leafOf({ notBefore: now + 1000 }))).toBe('not_yet_valid');
    const verdict = judge(...leafOf({ notAfter: now - 1000 }));
    expect(verdict).toMatchObject({
      allow: false,
      detail: expect.stringMatching(/^CN=Example Issuing CA.* expired at/),
    });
  });

  it('denies a leaf whose issuing CA shares a trusted name but not its key', () => {
    const namesake = authority({ now });
    expect(outcome(namesake.issueClient())).toBe('untrusted');
    // Version 1 has no key identifiers: there the name fits, and only the signature does not.
    expect(outcome(namesake.issueClient({ version: 1, keyUsage: null }))).toBe('untrusted');
    expect(outcome(pki.issueClient({ version: 1, keyUsage: null }))).toBe('invalid_leaf');
  });

  it('needs clientAuth in the extended key usage of a CA or root that has one', () => {
    const under = (options: Parameters<typeof authority>[0]) => {
      const made = authority({ now, ...options });
      return judge(made.issueClient(), [anchorOf('own', made.root, made.issuing)]);
    };
    for (const place of ['root', 'issuing'] as const) {
      const chosen = (...extendedKeyUsage: string[]) => under({ [place]: { extendedKeyUsage } });
      expect(chosen(purposes.clientAuth, purposes.serverAuth).allow).toBe(true);
      for (const others of [[purposes.serverAuth], ['2.5.29.37.0'], ['1.2.3']])
        expect(chosen(...others)).toMatchObject({
          reason: 'wrong_purpose',
          detail: expect.stringMatching(
            new RegExp(`^CN=Example ${place === 'root' ? 'Root' : 'Issuing'} CA,.*: extended key usage is `),
          ),
        });
    }
  });

  it('is as strong as its weakest CA, whatever the loader let through', () => {
    const under = (options: Parameters<typeof authority>[0]) => {
      const made = authority({ now, ...options });
      return judge(made.issueClient(), [anchorOf('own', made.root, made.issuing)]);
    };
    expect(under({ issuing: { key: 'rsa-1024' } })).toMatchObject({
      reason: 'weak_key',
      detail: expect.stringMatching(/^CN=Example Issuing CA.* has an RSA key of 1024 bits$/),
    });
    expect(under({ root: { key: 'secp256k1' } })).toMatchObject({ reason: 'weak_key' });
    expect(under({ issuing: { hash: 'sha1' } })).toMatchObject({ reason: 'weak_signature' });
    expect(under({ root: { hash: 'sha1' } }).allow).toBe(true);
  });

  it('has a detail that says why a CA that signed the leaf cannot be on it', () => {
    const made = authority({ now, issuing: { basicConstraints: { ca: false } } });
    expect(judge(made.issueClient(), [anchorOf('own', made.root, made.issuing)])).toMatchObject({
      reason: 'untrusted',
      detail: expect.stringMatching(
        /^CN=Example Issuing CA,.* signed CN=Example client,.*, but is no CA certificate \(basicConstraints\)$/,
      ),
    });
  });

  it('has a flag if another certificate of the anchors has the name of one of its CAs', () => {
    const namesake = authority({ now });
    const other = authority({ now, name: 'Other' });
    const flag = (...anchors: PathAnchor[]) => {
      const verdict = judge(pki.issueClient(), anchors);
      return verdict.allow && verdict.permit.hasNamesakes;
    };
    expect(flag(own)).toBe(false);
    expect(flag(own, anchorOf('other', other.root, other.issuing))).toBe(false);
    expect(flag(own, anchorOf('namesake', namesake.root, namesake.issuing))).toBe(true);
    expect(flag(anchorOf('own', pki.root, namesake.issuing, pki.issuing))).toBe(true);
  });

  it('contains only certificates of the anchor', () => {
    expect(outcome(pki.issueClient(), [anchorOf('root alone', pki.root)])).toBe('untrusted');
    expect(outcome(pki.issueClient(), [anchorOf('another root', authority({ now }).root, pki.issuing)])).toBe(
      'untrusted',
    );
    expect(outcome(pki.issueClient(), [])).toBe('untrusted');
  });

  it('contains CAs of one anchor only', () => {
    const anchors = [anchorOf('root', pki.root), anchorOf('issuing', authority({ now }).root, pki.issuing)];
    expect(outcome(pki.issueClient(), anchors)).toBe('untrusted');
  });

  it('may lead from the leaf directly to the root', () => {
    expect(outcome(pki.issueClient({ issuer: pki.root }))).toBe('own');
  });

  it('does not contain a leaf as an issuer', () => {
    const leaf = pki.issueClient();
    const below = pki.issueClient({ issuer: leaf });
    expect(outcome(below)).toBe('untrusted');
  });

  it('does not begin with an anchor’s own root or issuing CA: they are CAs', () => {
    expect(outcome(pki.root)).toBe('ca_as_leaf');
    expect(outcome(pki.issuing)).toBe('ca_as_leaf');
  });

  it('leads to the first anchor with a path that is complete and in date', () => {
    const old = ca({
      subject: pki.issuing.subject,
      issuer: pki.root,
      key: pki.issuing.privateKey,
      notAfter: now - 1,
    });
    const leaf = pki.issueClient();
    const expired = anchorOf('expired', pki.root, old);
    expect(outcome(leaf, [expired])).toBe('expired');
    expect(outcome(leaf, [expired, own])).toBe('own');
    expect(outcome(leaf, [anchorOf('other', authority({ now }).root), own, { ...own, name: 'again' }])).toBe(
      'own',
    );
  });

  it('contains the renewed CA if its expired certificate is in the same anchor', () => {
    const old = ca({
      subject: pki.issuing.subject,
      issuer: pki.root,
      key: pki.issuing.privateKey,
      notAfter: now - 1,
    });
    const leaf = pki.issueClient();
    expect(outcome(leaf, [anchorOf('new first', pki.root, pki.issuing, old)])).toBe('new first');
    expect(outcome(leaf, [anchorOf('old first', pki.root, old, pki.issuing)])).toBe('old first');
  });
});
