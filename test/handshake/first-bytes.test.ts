import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { beginsRecord, firstRecordLength, readClientHello } from '../../src/handshake/client-hello.ts';
import { type FailureReasonName, failure } from '../../src/handshake/failure-reasons.ts';
import { announceFirstBytes, explainFirstBytes } from '../../src/handshake/first-bytes.ts';
import { clientHello } from '../support/process/client-hello.ts';

const offer = { keys: [{ type: 'ec', curve: 23 }], chainBytes: 1_000, isListed: true } as const;
let hello: Buffer;
beforeAll(async () => {
  hello = await clientHello({ servername: 'gateway.example', ALPNProtocols: ['h2', 'http/1.1'] });
});

describe('a ClientHello', () => {
  it('is read with what it offers', () => {
    const read = readClientHello(hello);
    expect(read).toMatchObject({ serverName: 'gateway.example', alpn: ['h2', 'http/1.1'] });
    expect(read?.suites).toContain(0x1301);
    expect(read?.groups).toContain(29);
    expect(read?.signatures).toContain(0x0403);
    expect(read?.version).toBe(0x0304);
  });

  it('is null when it is incomplete, damaged or something else', () => {
    for (let length = 0; length < hello.length; length += 7)
      expect(readClientHello(hello.subarray(0, length))).toBe(null);
    expect(readClientHello(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe(null);
    // The length of its suites points beyond the record.
    const damaged = Buffer.from(hello);
    damaged.writeUInt16BE(0xffff, 5 + 4 + 2 + 32 + 1 + (hello[43] as number));
    expect(readClientHello(damaged)).toBe(null);
  });

  it('never makes the reader fail, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (noise, at) => {
        const bytes = Buffer.from(hello);
        bytes.set(
          noise.slice(0, bytes.length),
          at % (bytes.length - Math.min(noise.length, bytes.length) + 1),
        );
        readClientHello(bytes);
        for (const reason of ['not_tls', 'no_shared_cipher', 'timeout_client_hello'] as const)
          expect(explainFirstBytes(failure(reason), bytes, offer).detail).not.toBe('');
      }),
    );
  });

  it('has a length from its first record', () => {
    expect(beginsRecord(hello)).toBe(true);
    expect(firstRecordLength(hello)).toBe(hello.length);
    expect(firstRecordLength(hello.subarray(0, 4))).toBeNaN();
  });
});

describe('the first bytes', () => {
  it('leave a failure as it is where they say no more', () => {
    const others: FailureReasonName[] = ['closed_after_certificate', 'client_alert', 'key_not_proven'];
    for (const reason of others) {
      const found = failure(reason);
      expect(explainFirstBytes(found, hello, offer)).toBe(found);
      expect(announceFirstBytes(found)).toBe(found);
    }
  });

  it('are announced where they were not read', () => {
    expect(announceFirstBytes(failure('not_tls')).detail).toMatch(/a further attempt says more\.$/);
  });

  it('say how much of the first record came', () => {
    const found = failure('timeout_client_hello', 'it sent 100 bytes');
    const { detail } = explainFirstBytes(found, hello.subarray(0, 100), offer);
    expect(detail).toMatch(`100 bytes of a first record of ${hello.length}. `);
  });

  it('name the protocols of ALPN, without control characters', async () => {
    const h2 = await clientHello({ ALPNProtocols: ['h2', 'a\n"b'] });
    const { detail } = explainFirstBytes(failure('no_shared_alpn'), h2, offer);
    expect(detail).toMatch('by ALPN only h2, another protocol, neither http/1.1 nor http/1.0. ');
  });
});
