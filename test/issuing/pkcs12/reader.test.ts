import { createPrivateKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pkcs12Key } from '../../../src/issuing/pkcs12/key-derivation.ts';
import { Pkcs12Error, readPkcs12, WrongPasswordError } from '../../../src/issuing/pkcs12/reader.ts';
import { writePkcs12 } from '../../../src/issuing/pkcs12/writer.ts';
import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { withPbmac1 } from '../../support/pki/pbmac1.ts';
import { hasKeytool, keytool, openssl, opensslNotes } from '../../support/pki/tool.ts';

const pki = authority();
const rsa = pki.issueClient({ key: 'rsa-2048' });
const ec = pki.issueClient({ key: 'P-384' });
const password = 'sésame 1 €';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'password'), password);
  for (const [name, leaf] of Object.entries({ rsa, ec })) {
    await writeFile(join(folder.path, `${name}.pem`), leaf.chainPem);
    await writeFile(join(folder.path, `${name}.key`), leaf.keyPem);
  }
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What `openssl pkcs12 -export` writes. */
async function exported(name: 'rsa' | 'ec', ...flags: string[]): Promise<Buffer> {
  const source = ['-in', `${name}.pem`, '-inkey', `${name}.key`, '-out', 'out.p12'];
  openssl(['pkcs12', '-export', ...source, '-passout', 'file:password', ...flags], { cwd: folder.path });
  return readFile(join(folder.path, 'out.p12'));
}

const issuer = pki.issuing.der;

describe('readPkcs12', () => {
  it.each([
    ['rsa', [], 'AES-256-CBC with PBKDF2 (HMAC-SHA-256, 2048 iterations); MAC HMAC-SHA-256'],
    ['ec', [], 'AES-256-CBC with PBKDF2 (HMAC-SHA-256, 2048 iterations); MAC HMAC-SHA-256'],
    ['rsa', ['-legacy'], 'RC2-40 with the key derivation of PKCS#12 (SHA-1, 2048 iterations); 3DES'],
    [
      'ec',
      ['-legacy', '-descert'],
      '3DES with the key derivation of PKCS#12 (SHA-1, 2048 iterations); MAC HMAC-SHA-1',
    ],
    ['rsa', ['-legacy', '-certpbe', 'PBE-SHA1-RC2-128', '-keypbe', 'PBE-SHA1-RC2-128'], 'RC2-128'],
    [
      'rsa',
      ['-certpbe', 'AES-128-CBC', '-keypbe', 'AES-192-CBC', '-iter', '7'],
      'AES-128-CBC with PBKDF2 (HMAC-SHA-256, 7 iterations); AES-192-CBC',
    ],
    ['rsa', ['-certpbe', 'DES-EDE3-CBC', '-keypbe', 'DES-EDE3-CBC'], '3DES with PBKDF2'],
    ['rsa', ['-macalg', 'sha384'], 'MAC HMAC-SHA-384'],
    [
      'rsa',
      ['-macalg', 'sha512', '-nomaciter'],
      'MAC HMAC-SHA-512 with the key derivation of PKCS#12 (1 iterations)',
    ],
    ['rsa', ['-nomac'], 'no MAC'],
    ['rsa', ['-certpbe', 'NONE'], 'AES-256-CBC'],
    ['rsa', ['-certpbe', 'NONE', '-keypbe', 'NONE', '-nomac'], 'a key without encryption; no MAC'],
  ] as const)('reads what openssl writes for %s with %j', async (name, flags, encryption) => {
    const leaf = { rsa, ec }[name];
    const contents = readPkcs12(await exported(name, '-name', 'Été', ...flags), password);
    expect(contents.certificates).toEqual([leaf.der, issuer]);
    expect(contents.privateKeys.map(({ key }) => key.equals(leaf.privateKey))).toEqual([true]);
    expect(contents.privateKeys[0]?.name).toBe('Été');
    expect(contents.privateKeys[0]?.localKeyId).toMatch(/^[0-9a-f]{40}$/);
    expect(contents.encryption).toContain(encryption);
  });

  it.skipIf(!hasKeytool)('reads what keytool writes, its aliases included', async () => {
    const store = ['-keystore', 'java.p12', '-storetype', 'PKCS12', '-storepass', 'secret-1'];
    for (const alias of ['first', 'second'])
      keytool(['-genkeypair', '-alias', alias, '-keyalg', 'EC', '-dname', `CN=${alias}`, ...store], {
        cwd: folder.path,
      });
    keytool(['-importcert', '-noprompt', '-alias', 'ca', '-file', 'rsa.pem', ...store], { cwd: folder.path });
    const contents = readPkcs12(await readFile(join(folder.path, 'java.p12')), 'secret-1');
    expect(contents.privateKeys.map(({ name }) => name).toSorted()).toEqual(['first', 'second']);
    expect(contents.certificates).toHaveLength(3);
    expect(contents.certificates).toContainEqual(rsa.der);
  });

  it.skipIf(!hasKeytool).each(['JKS', 'JCEKS'])(
    'says how a key store in the format %s is converted',
    async (format) => {
      const store = [
        '-keystore',
        format,
        '-storetype',
        format,
        '-storepass',
        'secret-1',
        '-keypass',
        'secret-1',
      ];
      keytool(['-genkeypair', '-keyalg', 'EC', '-dname', 'CN=a', ...store], { cwd: folder.path });
      const bytes = await readFile(join(folder.path, format));
      expect(() => readPkcs12(bytes, 'secret-1')).toThrow(
        `is a Java key store in the format ${format}; convert it to PKCS#12 first: keytool -importkeystore -srckeystore FILE -srcstoretype ${format} -destkeystore FILE.p12 -deststoretype PKCS12`,
      );
    },
  );

  it('reads a file with the empty password, and one with none', async () => {
    await writeFile(join(folder.path, 'empty'), '\n');
    const empty = await exported('rsa', '-passout', 'file:empty');
    expect(readPkcs12(empty, '').certificates).toHaveLength(2);
    // RFC 7292 §B.1: no password is no octets at all, the empty one is the two octets of its terminator.
    const none = writePkcs12({
      certificates: [rsa.der],
      key: rsa.privateKey,
      password: null as never,
      legacy: true,
    });
    expect(readPkcs12(none, '').privateKeys).toHaveLength(1);
    const keyWith = (secret: string | null) =>
      pkcs12Key({
        password: secret,
        salt: Buffer.from('salt'),
        id: 3,
        iterations: 1,
        length: 20,
        hash: 'sha1',
      });
    expect(keyWith(null)).not.toEqual(keyWith(''));
  });

  it('reads indefinite lengths and strings in parts, as browsers and macOS write them', async () => {
    const bytes = indefinite(await exported('rsa'));
    expect(readPkcs12(bytes, password).certificates).toEqual([rsa.der, issuer]);
  });

  it.each([[['-legacy']], [[]], [['-nomac']], [['-legacy', '-nomac']]])(
    'says that the password is wrong, with %j',
    async (flags) => {
      const bytes = await exported('rsa', ...flags);
      // By chance one wrong password in 256 yields right padding, so that several are tried.
      for (let number = 0; number < 40; number++)
        expect(() => readPkcs12(bytes, `wrong ${number}`)).toThrow(WrongPasswordError);
      expect(() => readPkcs12(bytes, '')).toThrow(WrongPasswordError);
    },
  );

  it('says so, too, where a wrong password produces right padding by chance', async () => {
    const bytes = await exported('ec', '-iter', '1', '-nomac', '-certpbe', 'AES-256-CBC');
    for (let number = 0; number < 2500; number++)
      expect(() => readPkcs12(bytes, `wrong ${number}`)).toThrow(WrongPasswordError);
  });

  it('finds a change of any part that the MAC protects', async () => {
    const bytes = await exported('rsa');
    for (let at = 60; at < bytes.length - 120; at += 97) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => readPkcs12(changed, password)).toThrow(Pkcs12Error);
    }
  });

  it('refuses a file that is cut off at any byte, without a crash', async () => {
    const bytes = await exported('rsa', '-legacy');
    for (let length = 1; length < bytes.length; length += 13)
      expect(() => readPkcs12(bytes.subarray(0, length), password)).toThrow(Pkcs12Error);
  });

  it.each([
    ['a certificate in PEM', rsa.pem, 'is no PKCS#12 file, but a certificate'],
    ['a key', rsa.keyPem, 'is no PKCS#12 file, but a private key'],
    ['nothing', '', 'is no PKCS#12 file, but an empty file'],
    ['a certificate in DER', rsa.der, 'is no PKCS#12 file, or is damaged'],
  ])('says what it has found instead: %s', (_name, content, message) => {
    expect(() => readPkcs12(Buffer.from(content), password)).toThrow(message);
  });

  it('names a scheme that it does not read', async () => {
    const bytes = await exported('rsa', '-legacy', '-certpbe', 'PBE-SHA1-RC4-128');
    expect(() => readPkcs12(bytes, password)).toThrow(
      'is protected with RC4-128, which is not supported; export it again with AES-256 and PBKDF2',
    );
  });

  it('refuses a number of iterations that only keeps the processor busy', () => {
    const file = writePkcs12({ certificates: [rsa.der], key: rsa.privateKey, password });
    const many = withPbmac1(file, { password, iterations: 1, statedIterations: 0x7fffffff });
    expect(() => readPkcs12(many, password)).toThrow(
      'is protected with 2147483647 iterations, more than 10000000, which is not supported; export it again with AES-256 and PBKDF2',
    );
  });
});

describe('PBMAC1', () => {
  const file = writePkcs12({ certificates: [rsa.der, issuer], key: rsa.privateKey, password });

  it.each([
    ['sha256', 32],
    ['sha512', 64],
    ['sha256', 20],
  ] as const)('is verified as OpenSSL does: HMAC-%s, a key of %i octets', (hash, keyLength) => {
    const bytes = withPbmac1(file, { password, hash, keyLength });
    // Node has OpenSSL 3.5, which verifies the MAC of a PKCS#12 file.
    expect(() => createSecureContext({ pfx: bytes, passphrase: password })).not.toThrow();
    const contents = readPkcs12(bytes, password);
    expect(contents.certificates).toEqual([rsa.der, issuer]);
    expect(contents.encryption).toContain(`MAC PBMAC1 HMAC-SHA-${hash.slice(3)} with PBKDF2`);
  });

  it('finds a wrong password', () => {
    expect(() => readPkcs12(withPbmac1(file, { password: 'another' }), password)).toThrow(WrongPasswordError);
  });

  it('needs a length of the key, as RFC 9579 says, and one that is long enough', () => {
    for (const keyLength of [null, 19])
      expect(() => readPkcs12(withPbmac1(file, { password, keyLength }), password)).toThrow(/is damaged/);
  });
});

describe('writePkcs12', () => {
  const parts = { certificates: [rsa.der, issuer] as [Buffer, Buffer], key: rsa.privateKey, password };
  const listed = async (bytes: Buffer, ...flags: string[]) => {
    await writeFile(join(folder.path, 'in.p12'), bytes);
    return openssl(['pkcs12', '-in', 'in.p12', '-passin', 'file:password', '-nodes', ...flags], {
      cwd: folder.path,
    });
  };

  it.each([
    ['modern', false, []],
    ['modern', false, ['-legacy']],
    ['legacy', true, []],
    ['legacy', true, ['-legacy']],
  ] as const)('openssl reads the %s form', async (_name, legacy, flags) => {
    for (const leaf of [rsa, ec]) {
      const bytes = writePkcs12({
        ...parts,
        certificates: [leaf.der, issuer],
        key: leaf.privateKey,
        legacy,
        name: 'Été',
      });
      const text = await listed(bytes, ...flags);
      expect(text).toContain('friendlyName: ');
      expect(text.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(2);
      const [key] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text) ?? [''];
      expect(createPrivateKey(key).equals(leaf.privateKey)).toBe(true);
      // Both attributes: OpenSSL prints the certificate of the key with -clcerts only.
      expect((await listed(bytes, '-clcerts', '-nokeys')).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    }
  });

  it('protects everything with AES-256 and SHA-256, or with 3DES and SHA-1', async () => {
    for (const [legacy, mac, cipher] of [
      [
        false,
        'MAC: sha256, Iteration 100000',
        'PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256',
      ],
      [true, 'MAC: sha1, Iteration 2048', 'pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048'],
    ] as const) {
      await writeFile(join(folder.path, 'in.p12'), writePkcs12({ ...parts, legacy }));
      const source = ['pkcs12', '-in', 'in.p12', '-passin', 'file:password', '-info', '-noout'];
      const info = opensslNotes([...source, '-legacy'], { cwd: folder.path });
      expect(info).toContain(mac);
      expect(info.split(cipher)).toHaveLength(3);
    }
  });

  it('Node’s TLS and readPkcs12 read both forms, with every kind of password', () => {
    for (const legacy of [false, true])
      for (const secret of [password, '', 'a', '日本語 😀']) {
        const bytes = writePkcs12({ ...parts, password: secret, legacy });
        expect(() => createSecureContext({ pfx: bytes, passphrase: secret })).not.toThrow();
        expect(readPkcs12(bytes, secret).certificates).toEqual(parts.certificates);
        expect(() => readPkcs12(bytes, `${secret} `)).toThrow(WrongPasswordError);
      }
  });

  it.skipIf(!hasKeytool)('keytool reads both forms under the name that is given', async () => {
    for (const legacy of [false, true]) {
      const bytes = writePkcs12({ ...parts, password: 'secret-1', name: 'ehi', legacy });
      await writeFile(join(folder.path, 'in.p12'), bytes);
      const listing = keytool(['-list', '-v', '-keystore', 'in.p12', '-storepass', 'secret-1'], {
        cwd: folder.path,
      });
      expect(listing).toContain('Alias name: ehi');
      expect(listing).toContain('Entry type: PrivateKeyEntry');
      expect(listing).toContain('Certificate chain length: 2');
    }
  });
});

/** Every constructed element of a PKCS#12 file with an indefinite length, and its outer OCTET STRING in two parts. */
function indefinite(der: Uint8Array): Buffer {
  const end = Buffer.of(0, 0);
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  const version = cursor.element(der.length);
  cursor.open(der.length, tags.sequence);
  const authSafeEnd = cursor.end;
  const type = cursor.element(authSafeEnd);
  cursor.open(authSafeEnd, 0xa0);
  cursor.read(authSafeEnd, tags.octetString);
  const contents = Buffer.from(cursor.contents());
  const mac = cursor.element(der.length);
  const parts = [contents.subarray(0, 1000), contents.subarray(1000)].map((part) =>
    derElement(tags.octetString, part),
  );
  const string = Buffer.concat([Buffer.of(0x24, 0x80), ...parts, end]);
  const content = Buffer.concat([Buffer.of(0xa0, 0x80), string, end]);
  const authSafe = Buffer.concat([Buffer.of(0x30, 0x80), type, content, end]);
  return Buffer.concat([Buffer.of(0x30, 0x80), version, authSafe, mac, end]);
}
