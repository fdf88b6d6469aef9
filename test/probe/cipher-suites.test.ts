import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type CipherSuite, cipherSuite, suitesOf } from '../../src/probe/cipher-suites.ts';
import { versionNames } from '../../src/probe/versions.ts';

const all = new Map(versionNames.flatMap(suitesOf).map((suite) => [suite.name, suite]));

/** `0xC0,0x2C - TLS_… - … TLSv1.2 Kx=ECDH Au=ECDSA Enc=AESGCM(256) Mac=AEAD` */
function opensslSuites(): {
  name: string;
  code: number;
  enc: string;
  bits: number;
  mac: string;
  kx: string;
  au: string;
}[] {
  const lines = execFileSync('openssl', ['ciphers', '-V', '-stdname', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0']);
  const row = /0x(..),0x(..) - (\S+) +- \S+ +\S+ +Kx=(\S+) +Au=(\S+) +Enc=([^\s(]+)(?:\((\d+)\))? +Mac=(\S+)/;
  return lines
    .toString()
    .split('\n')
    .flatMap((line) => {
      const [, high, low, name, kx, au, enc, bits, mac] = row.exec(line) ?? [];
      if (name === undefined || /PSK|SRP/.test(name)) return [];
      const code = Number.parseInt(`${high}${low}`, 16);
      return [
        { name, code, kx: `${kx}`, au: `${au}`, enc: `${enc}`, bits: Number(bits ?? 0), mac: `${mac}` },
      ];
    });
}

describe('the table of cipher suites', () => {
  it('agrees with OpenSSL on code, name, strength, AEAD, authentication and key exchange', () => {
    const theirs = opensslSuites();
    expect(theirs.length).toBeGreaterThan(60);
    for (const { name, code, kx, au, bits, mac } of theirs) {
      const suite = cipherSuite(code);
      expect(suite?.name).toBe(name);
      expect(suite?.aead, name).toBe(mac === 'AEAD');
      // OpenSSL counts the keys of 3DES, not its strength.
      if (!name.includes('3DES')) expect(suite?.bits, name).toBe(bits);
      expect(suite?.insecure === 'no authentication', name).toBe(au === 'None' && bits > 0);
      expect(suite?.forwardSecrecy, name).toBe(kx !== 'RSA');
    }
  });

  it.each<[name: string, expected: Omit<CipherSuite, 'code' | 'name'>]>([
    [
      'TLS_AES_256_GCM_SHA384',
      { keyExchange: 'any', forwardSecrecy: true, aead: true, bits: 256, insecure: null },
    ],
    [
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
      { keyExchange: 'ECDHE_RSA', forwardSecrecy: true, aead: true, bits: 256, insecure: null },
    ],
    [
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      { keyExchange: 'RSA', forwardSecrecy: false, aead: false, bits: 128, insecure: null },
    ],
    [
      'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256',
      { keyExchange: 'ECDH_RSA', forwardSecrecy: false, aead: true, bits: 128, insecure: null },
    ],
    [
      'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
      { keyExchange: 'RSA', forwardSecrecy: false, aead: false, bits: 40, insecure: 'export grade' },
    ],
    [
      'TLS_DHE_RSA_WITH_DES_CBC_SHA',
      { keyExchange: 'DHE_RSA', forwardSecrecy: true, aead: false, bits: 56, insecure: 'DES' },
    ],
    [
      'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
      { keyExchange: 'RSA', forwardSecrecy: false, aead: false, bits: 112, insecure: '3DES' },
    ],
    [
      'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
      { keyExchange: 'ECDHE_RSA', forwardSecrecy: true, aead: false, bits: 128, insecure: 'RC4' },
    ],
    [
      'TLS_RSA_WITH_NULL_SHA256',
      { keyExchange: 'RSA', forwardSecrecy: false, aead: false, bits: 0, insecure: 'no encryption' },
    ],
    [
      'TLS_DH_anon_WITH_AES_128_GCM_SHA256',
      { keyExchange: 'DH_anon', forwardSecrecy: true, aead: true, bits: 128, insecure: 'no authentication' },
    ],
  ])('describes %s', (name, expected) => {
    expect(all.get(name)).toMatchObject(expected);
  });

  it('offers TLS 1.3 its own suites alone, and older versions none of a newer one', () => {
    expect(suitesOf('TLS 1.3').map(({ name }) => name)).toEqual([
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_128_CCM_SHA256',
      'TLS_AES_128_CCM_8_SHA256',
    ]);
    expect(suitesOf('TLS 1.2').some(({ keyExchange }) => keyExchange === 'any')).toBe(false);
    expect(suitesOf('TLS 1.0').some(({ aead, name }) => aead || name.endsWith('SHA256'))).toBe(false);
    expect(suitesOf('TLS 1.0').some(({ name }) => name === 'TLS_RSA_WITH_AES_128_CBC_SHA')).toBe(true);
  });

  it('has each name once', () => {
    expect(new Set([...all.values()].map(({ code }) => code)).size).toBe(all.size);
  });
});
