import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate, parseHead, readRest } from '../../src/pki/certificate.ts';
import { derElement, tags } from '../../src/pki/der-cursor.ts';
import { makeKey } from '../../src/pki/key.ts';
import { weakKey, weakSignature } from '../../src/pki/strength.ts';
import { authority } from '../support/pki/authority.ts';
import { rawCertificate, rawName } from '../support/pki/raw-certificate.ts';

const now = Date.UTC(2026, 0, 15, 12);
const validity = { notBefore: now, notAfter: now + 1000 };
const issue = (options: Partial<IssueOptions> = {}) =>
  issueCertificate({ subject: { CN: 'x' }, ...validity, ...options });
const parse = (options: Partial<IssueOptions> = {}) => parseCertificate(issue(options).der);

describe('a certificate', () => {
  it('has the same dates, digests and serial as in OpenSSL', () => {
    const { der } = issue();
    const certificate = parseCertificate(der);
    const { x509 } = certificate;
    const spki = x509.publicKey.export({ type: 'spki', format: 'der' });

    expect(certificate.notBefore).toBe(now);
    expect(certificate.notAfter).toBe(now + 1000);
    expect(certificate.sha256).toBe(x509.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(Buffer.from(certificate.thumbprint, 'base64url').toString('hex')).toBe(certificate.sha256);
    expect(certificate.spkiPin).toBe(createHash('sha256').update(spki).digest('base64'));
    expect(certificate.serial).toBe(x509.serialNumber.toLowerCase());
  });

  it('reads a validity that ends after 2049', () => {
    expect(parse({ notAfter: Date.UTC(2050, 5) }).notAfter).toBe(Date.UTC(2050, 5));
  });

  it('has null for every absent extension', () => {
    expect(parse()).toMatchObject({
      isCa: false,
      pathLength: null,
      keyUsage: null,
      extendedKeyUsage: null,
      sans: [],
      unprocessedCritical: [],
    });
  });

  it('lists every OU and CN in the order of the certificate', () => {
    const certificate = parse({ subject: { OU: ['one', 'two'], CN: ['a', 'b'] } });
    expect(certificate.organizationalUnits).toEqual(['one', 'two']);
    expect(certificate.commonNames).toEqual(['a', 'b']);
  });

  it('lists alternative names with their kind', () => {
    const sans = [
      'DNS:a.example',
      'URI:https://b.example/c',
      'email:d@e.example',
      'IP:192.0.2.1',
      'IP:2001:db8::1',
    ];
    expect(parse({ sans }).sans).toEqual(sans);
  });

  it('has CA flag and path length; a certificate that is not a CA has no path length', () => {
    expect(parse({ basicConstraints: { ca: true } })).toMatchObject({ isCa: true, pathLength: null });
    expect(parse({ basicConstraints: { ca: true, pathLength: 0 } })).toMatchObject({
      isCa: true,
      pathLength: 0,
    });
    expect(parse({ basicConstraints: { ca: false, pathLength: 1 } })).toMatchObject({
      isCa: false,
      pathLength: null,
    });
  });

  it('has each bit of the key usage', () => {
    const names = [
      'digitalSignature',
      'nonRepudiation',
      'keyEncipherment',
      'dataEncipherment',
      'keyAgreement',
      'keyCertSign',
      'cRLSign',
      'encipherOnly',
      'decipherOnly',
    ] as const;
    fc.assert(
      fc.property(fc.subarray([...names], { minLength: 1 }), (keyUsage) => {
        expect([...(parse({ keyUsage }).keyUsage ?? [])].sort()).toEqual([...keyUsage].sort());
      }),
      { numRuns: 60 },
    );
  });

  it('has the extended key usages', () => {
    expect(parse({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }).extendedKeyUsage).toEqual([
      '1.3.6.1.5.5.7.3.2',
    ]);
  });
});

describe('unprocessed critical extensions', () => {
  const value = Buffer.of(0x30, 0x00);

  it('include an unknown extension only if it is critical', () => {
    expect(parse({ extensions: [{ oid: '1.2.3.4', critical: true, value }] }).unprocessedCritical).toEqual([
      '1.2.3.4',
    ]);
    expect(parse({ extensions: [{ oid: '1.2.3.4', value }] }).unprocessedCritical).toEqual([]);
  });

  it('include a critical Netscape certificate type only in a CA certificate: that of a leaf is processed', () => {
    const type = { oid: '2.16.840.1.113730.1.1', critical: true, value: Buffer.from('03020780', 'hex') };
    const leaf = parse({ extensions: [type] });
    expect(leaf).toMatchObject({ unprocessedCritical: [], netscapeCertType: { sslClient: true } });
    const ca = parse({ basicConstraints: { ca: true }, extensions: [type] });
    expect(ca).toMatchObject({ unprocessedCritical: [type.oid], netscapeCertType: null });
    expect(parse()).toMatchObject({ netscapeCertType: null });
  });

  it.each([
    ['an authority key identifier', '2.5.29.35', '3000'],
    ['a subject key identifier', '2.5.29.14', '040101'],
    ['an authority information access', '1.3.6.1.5.5.7.1.1', '3000'],
  ])('include %s that is critical, which RFC 5280 forbids', (_, oid, hex) => {
    const key = makeKey('P-256');
    const name = rawName([{ oid: '2.5.4.3', text: 'x' }]);
    const read = (critical: boolean) =>
      parseCertificate(
        rawCertificate({
          ...validity,
          version: 3,
          serial: Buffer.of(1),
          subject: name,
          issuer: name,
          key,
          signer: key,
          hash: 'sha256',
          extensions: [{ oid, critical, value: Buffer.from(hex, 'hex') }],
        }),
      ).unprocessedCritical;
    expect(read(true)).toEqual([oid]);
    expect(read(false)).toEqual([]);
  });

  it.each([
    ['IP addresses (RFC 3779)', '1.3.6.1.5.5.7.1.7'],
    ['AS numbers (RFC 3779)', '1.3.6.1.5.5.7.1.8'],
    ['proxy certificate information', '1.3.6.1.5.5.7.1.14'],
    ['policy mappings', '2.5.29.33'],
    ['policy constraints', '2.5.29.36'],
    ['inhibit anyPolicy', '2.5.29.54'],
  ])('include %s even if not critical', (_, oid) => {
    expect(parse({ extensions: [{ oid, value }] }).unprocessedCritical).toEqual([oid]);
  });

  it.each([
    ['certificate policies', '2.5.29.32'],
    ['CRL distribution points', '2.5.29.31'],
  ])('do not include %s', (_, oid) => {
    expect(parse({ extensions: [{ oid, critical: true, value }] }).unprocessedCritical).toEqual([]);
  });

  it.each([
    ['a minimum', 'a0083006820161800101'],
    ['an explicit minimum of zero', 'a0083006820161800100'],
    ['a maximum', 'a1083006820161810101'],
    ['no subtree', ''],
    ['an empty permitted subtree', 'a000'],
    ['an empty excluded subtree', 'a100'],
    ['a network without a mask', 'a00830068704c0000201'],
    ['a network of the wrong length', 'a00430028700'],
  ])('include name constraints with %s, which cannot be applied', (_, subtree) => {
    const length = (subtree.length / 2).toString(16).padStart(2, '0');
    const constraints = Buffer.from(`30${length}${subtree}`, 'hex');
    const certificate = parse({ extensions: [{ oid: '2.5.29.30', value: constraints }] });
    expect(certificate.unprocessedCritical).toEqual(['2.5.29.30']);
    expect(certificate.nameConstraints).toBeNull();
  });
});

describe('name constraints', () => {
  const read = (hex: string) => {
    const value = Buffer.from(hex, 'hex');
    return parse({ extensions: [{ oid: '2.5.29.30', critical: true, value }] }).nameConstraints;
  };

  it('are read with every kind of base, an address with its mask', () => {
    // permitted: DNS a, email b, URI c, C=GB; excluded: 10.0.0.0/255.0.0.0, registered ID 1.2
    const directory = 'a40f300d310b3009060355040613024742';
    const permitted = `a0${'22'}3003820161${'3003810162'}${'3003860163'}${'3011'}${directory}`;
    const excluded = `a1${'11'}300a87080a000000ff000000${'300388012a'}`;
    expect(read(`3037${permitted}${excluded}`)).toEqual({
      permitted: [
        { kind: 'dns', value: 'a' },
        { kind: 'email', value: 'b' },
        { kind: 'uri', value: 'c' },
        { kind: 'directory', canonical: '["2.5.4.6=gb"]' },
      ],
      excluded: [
        { kind: 'ip', octets: Buffer.from('0a000000ff000000', 'hex') },
        { kind: 'other', tag: 0x88 },
      ],
    });
  });

  it.each([
    ['an unknown field', '3004a2023000'],
    ['a subtree without a base', '3004a0023000'],
    ['a base longer than its container', '3007a0053003820261'],
    ['a length in more octets than necessary', '3006a00430810161'],
    ['an indefinite length', '3006a08030000000'],
  ])('are refused with %s', (_, hex) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ code: 'CERTIFICATE_UNREADABLE' }));
  });
});

describe('names', () => {
  it('are the subject, its e-mail addresses and the alternative names of every kind', () => {
    const names = parse({
      sans: ['DNS:a.example', 'email:a@b.example', 'URI:https://c.example/', 'IP:192.0.2.1'],
    });
    expect(names.names.slice(1)).toEqual([
      { kind: 'dns', value: 'a.example' },
      { kind: 'email', value: 'a@b.example' },
      { kind: 'uri', value: 'https://c.example/' },
      { kind: 'ip', octets: Buffer.of(192, 0, 2, 1) },
    ]);
    expect(names.names[0]).toMatchObject({ kind: 'directory' });
  });
});

describe('common names that look like host names', () => {
  const read = (CN: string, sans?: string[]) =>
    parse({ subject: { CN }, ...(sans && { sans }) }).commonHostNames;

  it('are DNS names if no alternative name is a DNS name', () => {
    expect(read('a.example')).toEqual([{ kind: 'dns', value: 'a.example' }]);
    expect(read('A_b.c-d.example\0')).toEqual([{ kind: 'dns', value: 'A_b.c-d.example' }]);
    expect(read('*.example.com')).toEqual([{ kind: 'dns', value: '*.example.com' }]);
    expect(read('a.example', ['email:a@b.example'])).toHaveLength(1);
    expect(read('a.example', ['DNS:b.example'])).toEqual([]);
  });

  it('have two labels of letters, digits, inner hyphens and underscores', () => {
    for (const other of [
      'example',
      'a example',
      '.a.example',
      'a.example.',
      'a..example',
      '-a.example',
      'a-.example',
      'ä.example',
    ])
      expect(read(other), other).toEqual([]);
  });

  it('are unreadable with a NUL inside', () => {
    expect(read('a.example\0.evil.example')).toEqual([{ kind: 'unreadable' }]);
  });

  it('are matched fast even in a common name made to be slow', () => {
    expect(read(`${'a-'.repeat(20_000)}!`)).toEqual([]);
    expect(read(`${'a.'.repeat(20_000)}!`)).toEqual([]);
  });
});

describe('an alternative name', () => {
  it('that is a non-ASCII e-mail address (SmtpUTF8Mailbox) is an e-mail address that matches no constraint', () => {
    const mailbox = '3017a01506082b06010505070809a0090c07614062c3a42e63';
    const value = Buffer.from(mailbox, 'hex');
    expect(parse({ extensions: [{ oid: '2.5.29.17', value }] }).names.at(-1)).toEqual({
      kind: 'email',
      value: '',
    });
  });
});

describe('keys and signatures', () => {
  it.each([
    ['P-256', { type: 'ec', curve: 'P-256' }, null],
    ['P-384', { type: 'ec', curve: 'P-384' }, null],
    ['P-521', { type: 'ec', curve: 'P-521' }, null],
    ['secp256k1', { type: 'ec', curve: 'secp256k1' }, 'an EC key on secp256k1'],
    ['rsa-1024', { type: 'rsa', bits: 1024 }, 'an RSA key of 1024 bits'],
    ['rsa-2048', { type: 'rsa', bits: 2048 }, null],
    ['ed25519', { type: 'other', name: 'ed25519' }, null],
    ['dsa-1024', { type: 'other', name: 'dsa' }, 'a key of type dsa'],
  ] as const)('knows a key of kind %s', (kind, key, weakness) => {
    const certificate = parse({ key: kind });
    expect(certificate.key).toEqual(key);
    expect(weakKey(certificate)).toBe(weakness);
  });

  it.each([
    [{ key: 'rsa-2048', hash: 'md5' }, 'md5', 'a signature with MD5'],
    [{ key: 'rsa-2048', hash: 'sha1' }, 'sha1', 'a signature with SHA-1'],
    [{ key: 'rsa-2048', hash: 'sha384' }, 'sha384', null],
    [{ key: 'rsa-2048', hash: 'sha512', pss: true }, 'sha512', null],
    [{ key: 'rsa-2048', hash: 'sha1', pss: true }, 'sha1', 'a signature with SHA-1'],
    [{ key: 'P-256', hash: 'sha1' }, 'sha1', 'a signature with SHA-1'],
    [{ key: 'P-256', hash: 'sha256' }, 'sha256', null],
    [{ key: 'dsa-1024', hash: 'sha1' }, 'sha1', 'a signature with SHA-1'],
    [{ key: 'ed25519' }, 'none', null],
  ] as const)('knows the hash of a signature: %o', (options, hash, weakness) => {
    const certificate = parse(options);
    expect(certificate.signatureHash).toBe(hash);
    expect(weakSignature(certificate)).toBe(weakness);
    expect(certificate.x509.verify(certificate.x509.publicKey)).toBe(true);
  });
});

describe('parsing', () => {
  const unreadable = expect.objectContaining({ code: 'CERTIFICATE_UNREADABLE' });
  const error = (der: Uint8Array) => {
    try {
      parseCertificate(der);
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  };

  it('refuses bytes after the certificate', () => {
    expect(error(Buffer.concat([issue().der, Buffer.of(0)]))).toEqual(unreadable);
  });

  it('refuses a certificate that contains the PEM of another one, which OpenSSL would read instead', () => {
    const other = authority().issueClient();
    const smuggled = issue({
      extensions: [{ oid: '1.2.3.4', value: Buffer.from(`0\n${other.pem}`, 'latin1') }],
    });
    expect(error(smuggled.der)).toEqual(unreadable);
  });

  it('refuses an extension that occurs twice', () => {
    const extension = { oid: '2.5.29.37', value: Buffer.from('300a06082b06010505070302', 'hex') };
    expect(error(issue({ extensions: [extension] }).der)).toBeUndefined();
    expect(error(issue({ extensions: [extension, extension] }).der)).toEqual(unreadable);
  });

  it('refuses two different algorithm identifiers, of which only one is signed', () => {
    const { der } = authority({ key: 'rsa-2048', now }).issueClient();
    expect(error(der)).toBeUndefined();
    const [withNull, without] = ['300d06092a864886f70d01010b0500', '300b06092a864886f70d01010b'].map((hex) =>
      Buffer.from(hex, 'hex'),
    ) as [Buffer, Buffer];
    const at = der.lastIndexOf(withNull);
    const changed = [der.subarray(4, at), without, der.subarray(at + withNull.length)];
    expect(error(derElement(tags.sequence, ...changed))).toMatchObject({
      code: 'CERTIFICATE_UNREADABLE',
      message: expect.stringContaining('two different signature algorithms'),
    });
  });

  it('decodes names and extensions on first use, and an error then names the extension', () => {
    const oddNames = { oid: '2.5.29.17', value: Buffer.from('30028205', 'hex') };
    const { der } = issue({ extensions: [oddNames] });
    const certificate = parseHead(der);
    expect(certificate.isCa).toBe(false);
    const message = expect.stringContaining('extension 2.5.29.17: an element that ends after its');
    expect(() => certificate.sans).toThrow(expect.objectContaining({ message }));
    expect(() => readRest(certificate)).toThrow(expect.objectContaining({ message }));
    expect(error(der)).toMatchObject({ message });
  });

  it('refuses bytes after the value of an extension', () => {
    const value = Buffer.from('300a06082b0601050507030200', 'hex');
    expect(error(issue({ extensions: [{ oid: '2.5.29.37', value }] }).der)).toEqual(unreadable);
  });

  it('refuses extensions in a certificate of version 1', () => {
    const { der } = issue();
    const version3 = der.indexOf(Buffer.from('a003020102', 'hex'));
    const version1 = Buffer.from(der);
    version1[version3 + 4] = 0;
    expect(error(version1)).toEqual(unreadable);
    expect(error(issue({ version: 1 }).der)).toBeUndefined();
  });

  it('throws only its own error for anything that is not a certificate', () => {
    const { der } = issue({ sans: ['DNS:a'], basicConstraints: { ca: true }, keyUsage: ['keyCertSign'] });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc
            .tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }))
            .map(([at, flip]) => der.map((byte, index) => (index === at ? byte ^ flip : byte))),
          fc.nat(der.length - 1).map((length) => der.subarray(0, length)),
        ),
        (bytes) => {
          const thrown = error(bytes);
          if (thrown !== undefined) expect(thrown).toEqual(unreadable);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
