import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suitesOf } from '../../src/probe/cipher-suites.ts';
import { writeClientHello, writeHelloRecord } from '../../src/probe/client-hello.ts';
import { type FlightAnswer, FlightReader, type FlightReaderOptions } from '../../src/probe/flight-reader.ts';
import { makeKeyShares } from '../../src/probe/key-shares.ts';
import { describeFailure } from '../../src/probe/outcome.ts';
import { offeredSchemes } from '../../src/probe/signature-schemes.ts';
import { type VersionName, versionCodes } from '../../src/probe/versions.ts';
import { authority } from '../support/pki/authority.ts';
import {
  type FlightModel,
  message,
  serverHello,
  writeFlight,
  writeRecords,
} from '../support/probe/server-flight.ts';
import { asking, openTlsServer } from '../support/probe/tls-server.ts';

const ecdhe = 0xc02b;
const allSuites = (version: VersionName) => suitesOf(version).map(({ code }) => code);

function reader(version: VersionName = 'TLS 1.2', options: Partial<FlightReaderOptions> = {}): FlightReader {
  const suites = allSuites(version);
  return new FlightReader({ version, suites, hello: Buffer.alloc(0), keys: null, until: 'end', ...options });
}

/** Gives the bytes in pieces, then ends the connection. */
function readAll(bytes: Buffer, { from = reader(), pieces = [bytes.length] } = {}): FlightAnswer {
  let at = 0;
  for (const size of [...pieces, bytes.length]) {
    const piece = bytes.subarray(at, at + size);
    at += piece.length;
    const answer = piece.length === 0 ? null : from.add(piece);
    if (answer !== null) return answer;
  }
  return from.end();
}

const octets = (options: { minLength?: number; maxLength: number }) =>
  fc.uint8Array(options).map((bytes) => Buffer.from(bytes));
const code = fc.integer({ min: 0, max: 0xffff });

const models: fc.Arbitrary<FlightModel> = fc.record({
  version: fc.constantFrom(versionCodes['TLS 1.0'], versionCodes['TLS 1.1'], versionCodes['TLS 1.2']),
  suite: fc.constant(0xc009),
  sessionId: octets({ maxLength: 32 }),
  extensions: fc.constantFrom(
    [],
    [[0xff01, Buffer.of(0)] as const],
    [[16, Buffer.from('0009' + '08687474702f312e31', 'hex')] as const, [23, Buffer.alloc(0)] as const],
  ),
  certificates: fc.array(octets({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 4 }),
  keyExchange: fc.record({ group: code, scheme: code }),
  request: fc.option(
    fc.record({
      types: fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 5 }),
      schemes: fc.array(code, { maxLength: 5 }),
      authorities: fc.array(octets({ minLength: 1, maxLength: 200 }), { maxLength: 4 }),
    }),
  ),
});

const plain: FlightModel = {
  version: versionCodes['TLS 1.2'],
  suite: ecdhe,
  sessionId: Buffer.alloc(32, 5),
  extensions: [[0xff01, Buffer.of(0)]],
  certificates: [Buffer.from('leaf'), Buffer.from('issuer')],
  keyExchange: { group: 23, scheme: 0x0403 },
  request: { types: [64], schemes: [0x0403], authorities: [Buffer.from('first'), Buffer.from('second')] },
};

const nameOf = (wanted: number) =>
  (Object.keys(versionCodes) as VersionName[]).find((name) => versionCodes[name] === wanted) ?? 'TLS 1.2';

describe('a flight up to TLS 1.2', () => {
  it('is read as it was written, however it is cut into records and pieces', () => {
    const sizes = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(models, sizes, fc.array(sizes, { maxLength: 40 }), (model, size, pieces) => {
        const bytes = writeRecords(Buffer.concat(writeFlight(model)), { size });
        const answer = readAll(bytes, { from: reader(nameOf(model.version)), pieces });
        if (answer.kind !== 'flight') throw new Error(describeFailure(answer));
        const { flight } = answer;
        expect(flight.version).toBe(nameOf(model.version));
        expect(flight.suite.code).toBe(model.suite);
        expect(flight.sessionIdBytes).toBe(model.sessionId.length);
        expect(flight.secureRenegotiation).toBe(model.extensions.some(([type]) => type === 0xff01));
        expect(flight.extendedMasterSecret).toBe(model.extensions.some(([type]) => type === 23));
        expect(flight.alpn).toBe(model.extensions.some(([type]) => type === 16) ? 'http/1.1' : null);
        expect(flight.certificates).toEqual(model.certificates);
        expect(flight.keyExchange?.group.code).toBe(model.keyExchange?.group);
        const is12 = flight.version === 'TLS 1.2';
        expect(flight.keyExchange?.signatureScheme?.code).toBe(is12 ? model.keyExchange?.scheme : undefined);
        expect(flight.certificateRequest?.authorities).toEqual(model.request?.authorities);
        expect(flight.certificateRequest?.signatureSchemes.map((scheme) => scheme.code)).toEqual(
          is12 ? model.request?.schemes : model.request === null ? undefined : [],
        );
      }),
    );
  });

  it('that is cut off at any byte is incomplete', () => {
    const bytes = writeRecords(Buffer.concat(writeFlight(plain)), { size: 50 });
    expect(readAll(bytes).kind).toBe('flight');
    for (let length = 0; length < bytes.length; length++)
      expect(readAll(bytes.subarray(0, length)), `${length} bytes`).toEqual({ kind: 'closed' });
  });

  it('in which a bit is flipped, or bytes are replaced, is an answer of some kind', () => {
    const bytes = writeRecords(Buffer.concat(writeFlight(plain)), { size: 60 });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(readAll(flipped).kind).toMatch(/^[a-z-]+$/);
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), octets({ minLength: 1, maxLength: 20 }), (at, noise) => {
        const replaced = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + noise.length)]);
        expect(readAll(replaced).kind).toMatch(/^[a-z-]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('has what came before it was cut off', () => {
    const from = reader();
    from.add(writeRecords(Buffer.concat(writeFlight(plain).slice(0, 2))));
    expect(from.received).toMatchObject({
      version: 'TLS 1.2',
      certificates: plain.certificates,
      keyExchange: null,
      certificateRequest: null,
    });
  });

  it.each<[what: string, messages: Buffer[], detail: string]>([
    ['a message before ServerHello', [message(11, Buffer.of(0, 0, 0))], 'Certificate as the first message'],
    [
      'a message twice',
      [...writeFlight(plain).slice(0, 2), ...writeFlight(plain).slice(1)],
      'Certificate after Certificate',
    ],
    [
      'messages in another order',
      [0, 1, 3, 2, 4].map((at) => writeFlight(plain)[at] as Buffer),
      'ServerKeyExchange after CertificateRequest',
    ],
    ['no certificate', writeFlight({ ...plain, certificates: [] }), 'the flight lacks certificates'],
    [
      'no ServerKeyExchange',
      writeFlight({ ...plain, keyExchange: null }),
      'the flight lacks ServerKeyExchange',
    ],
    [
      'a suite that was not offered',
      writeFlight({ ...plain, suite: 0x1301 }),
      'ServerHello has the cipher suite 0x1301, which was not offered',
    ],
    [
      'an unknown version',
      writeFlight({ ...plain, version: 0x0305 }),
      'ServerHello has the version 0x0305, which was not offered',
    ],
    [
      'a session id that is too long',
      writeFlight({ ...plain, sessionId: Buffer.alloc(33) }),
      'ServerHello has a session id of more than 32 bytes',
    ],
    [
      'an extension twice',
      writeFlight({
        ...plain,
        extensions: [
          [23, Buffer.alloc(0)],
          [23, Buffer.alloc(0)],
        ],
      }),
      'a list of extensions has the extension 23 twice',
    ],
    [
      'a renegotiation_info that is not empty',
      writeFlight({ ...plain, extensions: [[0xff01, Buffer.of(1, 1)]] }),
      'renegotiation_info is not empty in a first handshake',
    ],
    [
      'an empty certificate',
      writeFlight({ ...plain, certificates: [Buffer.alloc(0)] }),
      'Certificate has a vector of 0 bytes instead of 1 or more',
    ],
    [
      'bytes after the end of a message',
      [...writeFlight(plain).slice(0, 1), message(11, Buffer.of(0, 0, 0, 1))],
      'Certificate has 1 bytes too many',
    ],
    [
      'a ServerHelloDone with contents',
      [...writeFlight(plain).slice(0, 4), message(14, Buffer.of(0))],
      'ServerHelloDone is not empty',
    ],
  ])('with %s is malformed', (_, messages, detail) => {
    expect(readAll(writeRecords(Buffer.concat(messages)))).toEqual({ kind: 'malformed', detail });
  });

  it('may contain a HelloRequest and a warning, which mean nothing in it', () => {
    const [hello, ...rest] = writeFlight(plain) as [Buffer, ...Buffer[]];
    const warning = writeRecords(Buffer.of(1, 112), { type: 21 });
    const bytes = [warning, writeRecords(hello), writeRecords(Buffer.concat([message(0), ...rest]))];
    expect(readAll(Buffer.concat(bytes)).kind).toBe('flight');
  });

  it('of an older version names that version', () => {
    const bytes = writeRecords(Buffer.concat(writeFlight({ ...plain, version: versionCodes['TLS 1.0'] })));
    expect(readAll(bytes)).toEqual({ kind: 'other-version', version: 'TLS 1.0' });
  });

  it('with more bytes than a server sends is too large', () => {
    const certificates = [Buffer.alloc(2 ** 20)];
    expect(readAll(writeRecords(Buffer.concat(writeFlight({ ...plain, certificates }))))).toMatchObject({
      kind: 'too-large',
    });
  });

  it('with more warnings than a server sends is too large', () => {
    const warnings = Buffer.concat(Array.from({ length: 2 ** 18 }, () => Buffer.of(21, 3, 3, 0, 2, 1, 112)));
    expect(readAll(warnings)).toMatchObject({ kind: 'too-large' });
  });

  it('with bytes after the extensions of its ServerHello is malformed', () => {
    const [hello = Buffer.alloc(0)] = writeFlight(plain);
    const bytes = writeRecords(message(2, hello.subarray(4), Buffer.of(0)));
    expect(readAll(bytes)).toEqual({ kind: 'malformed', detail: 'ServerHello has 1 bytes too many' });
  });

  it('is none where close_notify comes first', () => {
    const bytes = writeRecords(Buffer.concat(writeFlight(plain)));
    expect(readAll(Buffer.concat([Buffer.of(21, 3, 3, 0, 2, 1, 0), bytes]))).toMatchObject({ kind: 'alert' });
  });

  it('that announces a message of more than that is too large at once', () => {
    const [hello = Buffer.alloc(0)] = writeFlight(plain);
    const bytes = Buffer.concat([hello, Buffer.of(11, 0xff, 0xff, 0xff)]);
    expect(reader().add(writeRecords(bytes))).toMatchObject({ kind: 'too-large' });
  });

  it('that ends after a warning and its ServerHello is incomplete', () => {
    const [hello = Buffer.alloc(0)] = writeFlight(plain);
    const warning = writeRecords(Buffer.of(1, 112), { type: 21 });
    expect(readAll(Buffer.concat([warning, writeRecords(hello)]))).toEqual({ kind: 'closed' });
  });

  it('of export grade has an RSA key instead of a group', () => {
    const vectors = [Buffer.alloc(64, 0xff), Buffer.of(1, 0, 1), Buffer.alloc(128, 3)].flatMap((value) => [
      Buffer.of(value.length >> 8, value.length & 255),
      value,
    ]);
    const version = versionCodes['TLS 1.0'];
    const [hello, certificate] = writeFlight({ ...plain, version, suite: 0x0003 }) as [Buffer, Buffer];
    const bytes = writeRecords(Buffer.concat([hello, certificate, message(12, ...vectors), message(14)]));
    expect(readAll(bytes, { from: reader('TLS 1.0') })).toMatchObject({
      kind: 'flight',
      flight: { suite: { insecure: 'export grade' }, keyExchange: null },
    });
  });

  it('is complete with ServerHello where no more is wanted', () => {
    const bytes = writeRecords(serverHello(plain));
    expect(readAll(bytes, { from: reader('TLS 1.2', { until: 'hello' }) })).toMatchObject({
      kind: 'flight',
      flight: { suite: { name: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' }, certificates: [] },
    });
  });

  it.each([
    [1024, Buffer.alloc(128, 0xff)],
    [1017, Buffer.concat([Buffer.of(0, 1), Buffer.alloc(127, 0xff)])],
  ])('with a Diffie-Hellman group of the server’s own states its length: %i bits', (bits, prime) => {
    const vectors = [prime, Buffer.of(2), Buffer.alloc(128, 3)].flatMap((value) => [
      Buffer.of(value.length >> 8, value.length & 255),
      value,
    ]);
    const exchange = message(12, ...vectors, Buffer.of(4, 1, 0, 2, 9, 9));
    const [hello, certificate] = writeFlight({ ...plain, suite: 0x009e }) as [Buffer, Buffer];
    const bytes = writeRecords(Buffer.concat([hello, certificate, exchange, message(14)]));
    expect(readAll(bytes)).toMatchObject({
      flight: {
        keyExchange: {
          group: { code: null, name: `dh ${bits} bits`, strength: bits },
          signatureScheme: { name: 'rsa_pkcs1_sha256' },
        },
      },
    });
  });
});

describe('an answer that is no flight', () => {
  it.each<[what: string, bytes: Buffer | string, answer: object]>([
    ['nothing', '', { kind: 'closed' }],
    [
      'a fatal alert',
      Buffer.of(21, 3, 3, 0, 2, 2, 40),
      { kind: 'alert', level: 'fatal', code: 40, name: 'handshake_failure (40)' },
    ],
    [
      'a warning and nothing else',
      Buffer.of(21, 3, 3, 0, 2, 1, 112),
      { kind: 'alert', level: 'warning', code: 112, name: 'unrecognized_name (112)' },
    ],
    [
      'close_notify',
      Buffer.of(21, 3, 3, 0, 2, 1, 0),
      { kind: 'alert', level: 'warning', code: 0, name: 'close_notify (0)' },
    ],
    [
      'an alert of a level that does not exist',
      Buffer.of(21, 3, 3, 0, 2, 3, 40),
      { kind: 'malformed', detail: 'an alert that is not valid' },
    ],
    [
      'an alert of one byte',
      Buffer.of(21, 3, 3, 0, 1, 2),
      { kind: 'malformed', detail: 'an alert that is not valid' },
    ],
    ['an empty record', Buffer.of(22, 3, 3, 0, 0), { kind: 'malformed', detail: 'an empty record' }],
    [
      'a record that is too long',
      Buffer.of(22, 3, 3, 0x40, 1),
      { kind: 'malformed', detail: 'a record of 16385 bytes' },
    ],
    [
      'application data',
      writeRecords(Buffer.of(1), { type: 23 }),
      { kind: 'malformed', detail: 'a record of type 23 within the handshake' },
    ],
    [
      'HTTP',
      'HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<html>',
      { kind: 'http', status: 400, line: 'HTTP/1.1 400 Bad Request' },
    ],
    ['HTTP without an end of line', 'HTTP/1.0 503', { kind: 'http', status: 503, line: 'HTTP/1.0 503' }],
    ['HTTP without a status', 'HTTP/1.1 what\r\n', { kind: 'http', status: null, line: 'HTTP/1.1 what' }],
    [
      'a page without a head',
      '<!DOCTYPE HTML PUBLIC>\n',
      { kind: 'http', status: null, line: '<!DOCTYPE HTML PUBLIC>' },
    ],
    ['a banner', 'SSH-2.0-OpenSSH_9.2\r\n', { kind: 'not-tls', text: 'SSH-2.0-OpenSSH_9.2..' }],
    ['control characters', '\u001b[31m\u0000ä', { kind: 'not-tls', text: '.[31m..' }],
    [
      'a long line',
      `HTTP/1.1 200 ${'x'.repeat(5000)}`,
      { kind: 'http', status: 200, line: `HTTP/1.1 200 ${'x'.repeat(67)}` },
    ],
  ])('is a value: %s', (_, bytes, answer) => {
    expect(readAll(Buffer.from(bytes as string, 'latin1'))).toEqual(answer);
  });

  it('is the same value for whatever comes in single bytes', () => {
    const text = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(readAll(text, { pieces: [...text].map(() => 1) })).toMatchObject({ kind: 'http', status: 400 });
  });

  it('is a value for any bytes, and can be described', () => {
    fc.assert(
      fc.property(octets({ maxLength: 200 }), (bytes) => {
        const answer = readAll(bytes);
        expect(answer.kind).not.toBe('flight');
        if (answer.kind !== 'flight') expect(describeFailure(answer)).toMatch(/^[ -~]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('is malformed where other bytes follow a record', () => {
    const bytes = Buffer.concat([writeRecords(serverHello(plain)), Buffer.from('HTTP/1.1 400')]);
    expect(readAll(bytes)).toEqual({ kind: 'malformed', detail: 'bytes that are no record' });
  });
});

describe('a flight of TLS 1.3', () => {
  /** The answer of a real server to one ClientHello, and a reader with the keys of it. */
  async function record(): Promise<{ bytes: Buffer; from: () => FlightReader }> {
    const ca = authority();
    await using server = await openTlsServer(ca, asking(ca));
    const keys = makeKeyShares();
    const version = 'TLS 1.3';
    const suites = [0x1301];
    const shares = keys.shares.filter(({ group }) => group === 29);
    const hello = writeClientHello({
      version,
      suites,
      servername: null,
      groups: [29],
      signatureSchemes: offeredSchemes,
      alpn: [],
      shares,
    });
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write(writeHelloRecord(hello, version));
    const from = () => new FlightReader({ version, suites, hello, keys, until: 'end' });
    const whole = from();
    const chunks: Buffer[] = [];
    for (;;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      chunks.push(chunk);
      if (whole.add(chunk) !== null) break;
    }
    socket.destroy();
    return { bytes: Buffer.concat(chunks), from };
  }

  it('is read in any pieces, is incomplete at each cut, and no flipped bit gets past its protection', async () => {
    const { bytes, from } = await record();
    const read = (given: Buffer, pieces?: number[]) =>
      readAll(given, pieces === undefined ? { from: from() } : { from: from(), pieces });
    const pieces = Array.from(bytes, () => 1);
    expect(read(bytes, pieces)).toMatchObject({
      kind: 'flight',
      flight: { suite: { name: 'TLS_AES_128_GCM_SHA256' }, keyExchange: { group: { name: 'x25519' } } },
    });
    // The last record is Finished, after which the server may have sent nothing.
    for (let length = 0; length < bytes.length; length += 7)
      expect(read(bytes.subarray(0, length)), `${length} bytes`).toEqual({ kind: 'closed' });
    // The second octet of a version in a record in the clear means nothing (RFC 8446 §5.1).
    const changeCipherSpec = bytes.indexOf(Buffer.of(20, 3, 3, 0, 1, 1));
    for (let at = 0; at < bytes.length; at++) {
      if (at === 2 || at === changeCipherSpec + 2) continue;
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at & 7));
      expect(read(flipped).kind).toMatch(/^(?:malformed|closed|not-tls|other-version|alert|too-large)$/);
    }
  });

  it('may have no message in the clear after ServerHello', async () => {
    const { bytes, from } = await record();
    const hello = bytes.subarray(0, 5 + bytes.readUInt16BE(3));
    const open = writeRecords(message(8, Buffer.of(0, 0)));
    expect(readAll(Buffer.concat([hello, open]), { from: from() })).toEqual({
      kind: 'malformed',
      detail: 'EncryptedExtensions in the clear after ServerHello',
    });
  });

  it('asks for another group in a HelloRetryRequest', () => {
    const retry = Buffer.concat([
      Buffer.of(3, 3),
      Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
      Buffer.from('00' + '1301' + '00' + '000c' + '002b00020304' + '003300020018', 'hex'),
    ]);
    const bytes = writeRecords(message(2, retry));
    for (const keys of [null, makeKeyShares()])
      expect(readAll(bytes, { from: reader('TLS 1.3', { keys }) })).toMatchObject({
        kind: 'retry',
        group: { name: 'secp384r1' },
      });
    expect(readAll(bytes, { from: reader('TLS 1.3', { until: 'hello' }) })).toMatchObject({
      kind: 'flight',
      flight: { version: 'TLS 1.3', keyExchange: { group: { name: 'secp384r1' } } },
    });
  });
});
