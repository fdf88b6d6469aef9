import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientHelloOptions, writeClientHello, writeHelloRecord } from '../../src/probe/client-hello.ts';
import { type VersionName, versionCodes, versionNames } from '../../src/probe/versions.ts';
import { WireCursor } from '../../src/probe/wire.ts';

interface Hello {
  readonly version: number;
  readonly sessionId: Buffer;
  readonly suites: readonly number[];
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** Reads a ClientHello back: RFC 8446 §4.1.2. */
function readHello(message: Buffer): Hello {
  const cursor = new WireCursor(message, 'ClientHello');
  expect(cursor.number(1)).toBe(1);
  const body = new WireCursor(cursor.vector(3), 'ClientHello');
  cursor.close();
  const version = body.number(2);
  body.octets(32);
  const sessionId = body.vector(1);
  const suites = body.codes(2);
  expect([...body.vector(1)]).toEqual([0]);
  const extensions = new Map<number, Buffer>();
  if (!body.isAtEnd) {
    const list = new WireCursor(body.vector(2), 'extensions');
    while (!list.isAtEnd) extensions.set(list.number(2), list.vector(2));
  }
  body.close();
  return { version, sessionId, suites, extensions };
}

const codesIn = (value: Buffer | undefined) => new WireCursor(value ?? Buffer.alloc(0), 'codes').codes(2);

const code = fc.integer({ min: 0, max: 0xfffe });
const options: fc.Arbitrary<ClientHelloOptions> = fc.record({
  version: fc.constantFrom<VersionName>(...versionNames),
  suites: fc.array(
    code.filter((suite) => suite !== 0xff),
    { minLength: 1, maxLength: 250, size: 'max' },
  ),
  servername: fc.option(fc.stringMatching(/^[a-z][a-z0-9.-]{0,60}$/)),
  groups: fc.array(code, { maxLength: 40 }),
  signatureSchemes: fc.array(code, { minLength: 1, maxLength: 30 }),
  alpn: fc.array(fc.stringMatching(/^[a-z0-9./]{1,20}$/), { maxLength: 3 }),
  shares: fc.array(fc.record({ group: code, key: fc.uint8Array({ minLength: 1, maxLength: 133 }) }), {
    maxLength: 4,
  }),
});

describe('a ClientHello', () => {
  it('offers what it was written with, and one version', () => {
    fc.assert(
      fc.property(options, (given) => {
        const { version, sessionId, suites, extensions } = readHello(writeClientHello(given));
        const is13 = given.version === 'TLS 1.3';
        expect(version).toBe(is13 ? versionCodes['TLS 1.2'] : versionCodes[given.version]);
        expect(sessionId).toHaveLength(is13 ? 32 : 0);
        expect(suites).toEqual(is13 ? given.suites : [...given.suites, 0xff]);
        if (given.version === 'SSL 3.0') {
          expect(extensions.size).toBe(0);
          return;
        }
        const name = extensions.get(0);
        expect(name?.subarray(5).toString()).toBe(given.servername ?? undefined);
        expect(extensions.has(10) ? codesIn(extensions.get(10)) : []).toEqual(given.groups);
        const hasSchemes = is13 || given.version === 'TLS 1.2';
        expect(extensions.has(13) ? codesIn(extensions.get(13)) : null).toEqual(
          hasSchemes ? given.signatureSchemes : null,
        );
        const alpn = extensions.get(16);
        const protocols = alpn === undefined ? [] : new WireCursor(alpn, 'ALPN').vectors(2, { each: 1 });
        expect(protocols.map(String)).toEqual(given.alpn);
        expect(extensions.get(43)).toEqual(is13 ? Buffer.of(2, 3, 4) : undefined);
        expect(extensions.has(51)).toBe(is13);
      }),
    );
  });

  it('never has a length that some servers hang at', () => {
    fc.assert(
      fc.property(options, (given) => {
        const { length } = writeClientHello(given);
        expect(given.version !== 'SSL 3.0' && length >= 256 && length <= 511).toBe(false);
      }),
    );
  });

  it('has another random each time', () => {
    const given = { version: 'TLS 1.2', suites: [1], servername: null, groups: [], alpn: [] } as const;
    const [one, other] = [1, 2].map(() => writeClientHello({ ...given, signatureSchemes: [1], shares: [] }));
    expect(one?.subarray(6, 38)).not.toEqual(other?.subarray(6, 38));
  });

  it('goes into one record, with a version that old servers know', () => {
    const message = Buffer.from('0100000101', 'hex');
    expect(writeHelloRecord(message, 'TLS 1.3').toString('hex')).toBe('16030100050100000101');
    expect(writeHelloRecord(message, 'SSL 3.0').toString('hex')).toBe('16030000050100000101');
  });
});
