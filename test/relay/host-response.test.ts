/** The host's responses, in reads of any size: forwarded with the same body, and with a Content-Length if they are short. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResponseHeadCache } from '../../src/message/head-reader.ts';
import type { RequestHead } from '../../src/message/request.ts';
import { HostResponse, type ResponseContext, type ResponseFault } from '../../src/relay/host-response.ts';
import { takeMessage } from '../support/http/http.ts';

const KiB = 1024;
const limits = {
  head: 16 * KiB,
  fields: 100,
  body: 10,
  connections: 1,
  connectionsPerAddress: 1,
  unfinishedHandshakes: 1,
  unfinishedHandshakesPerAddress: 1,
  handshakeBytes: 16_384,
  certificateBytes: 1,
  handshakeRate: 1,
  delay: 1,
  smallRecords: 2000,
  inFlightPerClient: 1,
  heldBodies: 1,
};
/** Reused for all reads, as by the connections of the relay. */
const readBuffer = Buffer.alloc(64 * KiB);

interface Options {
  readonly minor?: 0 | 1;
  readonly method?: 'POST' | 'HEAD';
  readonly contentLength?: ResponseContext['contentLength'];
  readonly finProves?: boolean;
}

class Scene {
  readonly writes: Buffer[] = [];
  readonly response: HostResponse;

  constructor(finProves = true) {
    this.response = new HostResponse({
      send: (bytes) => this.writes.push(bytes) > 0,
      mustClose: false,
      finProves,
    });
  }

  begin({ minor = 1, method = 'POST', contentLength = 'ensure' }: Options = {}): this {
    this.writes.length = 0;
    const request = { method, minor } as RequestHead;
    this.response.begin({ request, limits, contentLength, headCache: new ResponseHeadCache() });
    return this;
  }

  /** Delivers one read, after which the buffer is overwritten. */
  read(bytes: Buffer): ResponseFault | null {
    bytes.copy(readBuffer);
    const fault = this.response.read(readBuffer, bytes.length);
    readBuffer.fill('?', 0, bytes.length);
    return fault;
  }

  get sent(): Buffer {
    return Buffer.concat(this.writes);
  }
}

function chunked(body: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')];
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const part = body.subarray(at, at + (sizes[turn % sizes.length] as number));
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\nX-Trailer: 1\r\n\r\n')]);
}

function untilClose(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), body]);
}

/** Delivers all bytes, in reads of these sizes in turn, without a fault. */
function readAll(scene: Scene, bytes: Buffer, sizes: readonly number[]): void {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const part = bytes.subarray(at, at + (sizes[turn % sizes.length] as number));
    expect(scene.read(part)).toBeNull();
    at += part.length;
  }
}

function bodyOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) % 256));
}

const sizes = fc.oneof(
  fc.constantFrom(0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1),
  fc.integer({ min: 0, max: 150 * KiB }),
);
const steps = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 8 });

describe('a response without a length', () => {
  it('is forwarded with Content-Length in one write up to 64 KiB, and in chunks beyond', () => {
    const scene = new Scene();
    const framings = fc.constantFrom('chunked', 'close');
    const context = fc.record({
      minor: fc.constantFrom(0, 1),
      contentLength: fc.constantFrom('ensure', 'asis'),
    }) as fc.Arbitrary<Options>;
    fc.assert(
      fc.property(sizes, framings, steps, steps, context, (size, framing, chunks, reads, options) => {
        const body = bodyOf(size);
        scene.begin(options);
        const { response } = scene;
        readAll(scene, framing === 'close' ? untilClose(body) : chunked(body, chunks), reads);
        expect(response.complete).toBe(framing === 'chunked');
        if (framing === 'close') expect(response.onFin()).toBe(true);
        expect(response).toMatchObject({ complete: true, begun: true, surplus: false, received: size });

        const message = takeMessage(scene.sent, { ended: true });
        expect(message?.body.equals(body)).toBe(true);
        expect(message?.raw.length).toBe(scene.sent.length);
        const short = options.contentLength === 'ensure' && size <= 64 * KiB;
        expect(message?.field('content-length')).toBe(short ? `${size}` : undefined);
        expect(message?.field('transfer-encoding')).toBe(
          short || options.minor === 0 ? undefined : 'chunked',
        );
        if (short) expect(scene.writes).toHaveLength(1);
        response.end();
      }),
      { numRuns: 200 },
    );
  });

  it('is not buffered any more once it is longer than 64 KiB', () => {
    const scene = new Scene().begin();
    expect(scene.read(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toBeNull();
    for (let part = 0; part < 64; part++) scene.read(bodyOf(KiB));
    expect(scene.writes).toHaveLength(0);
    scene.read(Buffer.from('x'));
    expect(takeMessage(Buffer.concat([scene.sent, Buffer.from('0\r\n\r\n')]))?.body).toHaveLength(
      64 * KiB + 1,
    );
    for (let part = 1; part < 10; part++) {
      scene.read(Buffer.from('yz'));
      expect(scene.writes.at(-1)?.toString()).toBe('2\r\nyz\r\n');
    }
  });

  it('leaves nothing for the next response after its exchange has ended', () => {
    const scene = new Scene().begin();
    scene.read(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'));
    expect(scene.writes).toHaveLength(0);
    scene.response.end();
    scene.begin();
    scene.read(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsec'));
    scene.read(Buffer.from('ond\r\n0\r\n\r\n'));
    expect(scene.sent.toString()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond');
  });

  it('that ends with the connection is refused if a FIN proves nothing, before any of it is sent', () => {
    const scene = new Scene(false).begin({ contentLength: 'asis' });
    expect(scene.read(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhalf'))).toMatchObject({ why: 'unproven_end' });
    expect(scene.writes).toHaveLength(0);
    for (const framed of [
      'Content-Length: 1\r\n\r\na',
      'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ]) {
      scene.begin();
      expect(scene.read(Buffer.from(`HTTP/1.1 200 OK\r\n${framed}`))).toBeNull();
      expect(scene.response.complete).toBe(true);
    }
  });
});

it.each([
  ['with neither type nor length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na', 'POST', true],
  ['with a type', 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\na', 'POST', false],
  ['without a body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'POST', false],
  ['without content (204)', 'HTTP/1.1 204 No Content\r\n\r\n', 'POST', false],
  ['to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n', 'HEAD', false],
] as const)('reports a missing Content-Type of a response %s: %#', (_what, wire, method, untyped) => {
  const scene = new Scene().begin({ method });
  scene.read(Buffer.from(wire));
  expect(scene.response).toMatchObject({ complete: true, untyped });
});
