import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';

/** The anchors' certificates are not checked by trust/: a CA that trust/ refuses must not be on a path either. */
const now = Date.UTC(2026, 0, 15, 12);
const issue = (options: Partial<IssueOptions> & Pick<IssueOptions, 'subject'>): Issued =>
  issueCertificate({ notBefore: now - 3_600_000, notAfter: now + 3_600_000, ...options });
const ca = (options: Partial<IssueOptions> & Pick<IssueOptions, 'subject'>): Issued =>
  issue({ basicConstraints: { ca: true }, keyUsage: ['keyCertSign'], ...options });
const outcome = (leaf: Issued, ...held: Issued[]) => {
  const anchor = { name: 'own', certificates: held.map(({ der }) => parseCertificate(der)) };
  const verdict = validatePath(parseCertificate(leaf.der), { anchors: [anchor], now });
  return verdict.allow ? verdict.permit.certificates.length : verdict.reason;
};
const root = ca({ subject: { CN: 'root' } });

describe('an issuer', () => {
  it.each<[string, Partial<IssueOptions>, number | string]>([
    ['that is a CA', {}, 3],
    ['without basicConstraints', { basicConstraints: null }, 'untrusted'],
    ['with cA FALSE', { basicConstraints: { ca: false } }, 'untrusted'],
    ['of version 1', { version: 1 }, 'untrusted'],
    ['that may not sign certificates', { keyUsage: ['cRLSign'] }, 'untrusted'],
    ['that only signs CRLs', { keyUsage: ['cRLSign'], basicConstraints: null }, 'untrusted'],
    ['without a key usage', { keyUsage: null }, 3],
    [
      'with a critical extension that is unknown',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) }] },
      'untrusted',
    ],
    [
      'with policy constraints, critical or not',
      { extensions: [{ oid: '2.5.29.36', value: Buffer.of(0x30, 0) }] },
      'untrusted',
    ],
  ])('%s', (_what, options, expected) => {
    const issuing = ca({ subject: { CN: 'issuing' }, issuer: root, ...options });
    expect(outcome(issue({ subject: { CN: 'leaf' }, issuer: issuing }), root, issuing)).toBe(expected);
  });
});

it('is not accepted if OpenSSL cannot parse one of its extensions, also if the certificate below names another serial', () => {
  const subject = { CN: 'other root' };
  const pathOver = (options: Partial<IssueOptions>) => {
    const issuer = ca({ subject, ...options });
    return outcome(issue({ subject: { CN: 'leaf' }, issuer, authoritySerial: Buffer.of(7) }), issuer);
  };
  expect(pathOver({})).toBe(2);
  // Name constraints with a name of the kind [24], which does not exist.
  const value = Buffer.from('3008a006300498022a03', 'hex');
  expect(pathOver({ extensions: [{ oid: '2.5.29.30', critical: true, value }] })).toBe('untrusted');
});

describe('a CA’s certificate for its own new key', () => {
  const old = ca({
    subject: { CN: 'issuing' },
    issuer: root,
    basicConstraints: { ca: true, pathLength: 0 },
  });
  const renewed = ca({ subject: old.subject, issuer: old });
  const below = ca({ subject: { CN: 'below' }, issuer: renewed });

  it('does not count against a path length', () => {
    expect(outcome(issue({ subject: { CN: 'leaf' }, issuer: renewed }), root, old, renewed)).toBe(4);
  });

  it('does not extend the path length: another CA below it is one too many', () => {
    expect(outcome(issue({ subject: { CN: 'leaf' }, issuer: below }), root, old, renewed, below)).toBe(
      'untrusted',
    );
  });

  it('is recognized if the name has another spelling', () => {
    const spelled = ca({ subject: { CN: ' ISSUING ' }, issuer: old });
    expect(outcome(issue({ subject: { CN: 'leaf' }, issuer: spelled }), root, old, spelled)).toBe(4);
  });

  it('may certify the old key in turn: no path contains a certificate twice', () => {
    const back = ca({ subject: old.subject, issuer: renewed, key: old.privateKey });
    const leaf = issue({ subject: { CN: 'leaf' }, issuer: renewed });
    expect(outcome(leaf, root, back, renewed)).toBe('untrusted');
    expect(outcome(leaf, root, back, renewed, old)).toBe(4);
  });
});

describe('a CA’s certificates for one key, none of which may issue the leaf', () => {
  const subject = { CN: 'issuing' };
  const renew = (from: Issued, options: Partial<IssueOptions>) =>
    ca({ subject, issuer: root, key: from.privateKey, ...options });
  const expired = ca({ subject, issuer: root, notAfter: now - 1000 });
  const serverOnly = renew(expired, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] });
  const unprocessed = renew(expired, { extensions: [{ oid: '2.5.29.36', value: Buffer.of(0x30, 0) }] });
  const denialOf = (held: Issued[], options: Partial<IssueOptions> = {}) => {
    const leaf = issue({ subject: { CN: 'leaf' }, issuer: expired, ...options });
    const certificates = [root, ...held].map(({ der }) => parseCertificate(der));
    return validatePath(parseCertificate(leaf.der), { anchors: [{ name: 'own', certificates }], now });
  };

  it.each([
    ['old first', [expired, serverOnly]],
    ['renewal first', [serverOnly, expired]],
  ])('are denied for the fault of the renewal, not because the old one expired: %s', (_what, held) => {
    expect(denialOf(held)).toMatchObject({
      reason: 'wrong_purpose',
      detail: 'CN=issuing: extended key usage is serverAuth, without clientAuth',
    });
  });

  it('are denied with both, if the renewal cannot be on a path', () => {
    expect(denialOf([expired, unprocessed])).toMatchObject({
      reason: 'expired',
      detail:
        'CN=issuing expired at 2026-01-15T11:59:59.000Z; CN=issuing signed CN=leaf, but has extensions that the gateway does not process: 2.5.29.36',
    });
  });

  it('are not named, if the leaf itself expired', () => {
    expect(denialOf([expired, unprocessed], { notAfter: now - 2000 })).toMatchObject({
      detail: 'CN=leaf expired at 2026-01-15T11:59:58.000Z',
    });
  });

  it('do not matter beside one that may issue it', () => {
    const renewed = renew(expired, {});
    for (const held of [
      [expired, serverOnly, unprocessed, renewed],
      [renewed, unprocessed, serverOnly, expired],
    ])
      expect(denialOf(held)).toMatchObject({ allow: true });
  });
});
