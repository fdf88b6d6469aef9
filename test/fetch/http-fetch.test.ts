/** Redirects, body sizes and encodings; the rest is tested by the rooms that fetch (trust, revocation). */
import { createServer, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fetchResource, type ResourceOptions } from '../../src/fetch/http-fetch.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openDirectory } from '../support/trust/directory.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

async function serve(listener: RequestListener) {
  const requests: string[] = [];
  const listening = await listenOnLoopback(
    createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      listener(request, response);
    }),
  );
  const origin = `http://127.0.0.1:${listening.port}`;
  const fetch = (options: Partial<ResourceOptions> = {}) =>
    fetchResource({
      purpose: 'CRL',
      url: `${origin}/0`,
      maxBytes: 100,
      timeout: 60_000,
      redirects: 3,
      ...options,
    });
  return { ...listening, origin, requests, fetch };
}

/** `/0` redirects to `/1`, that to `/2`, and so on up to `/hops`. */
const hopping =
  (hops: number, status = 302): RequestListener =>
  (request, response) => {
    const hop = Number(request.url?.slice(1));
    if (hop < hops) response.writeHead(status, { location: `/${hop + 1}` }).end();
    else response.end('here');
  };

it('a switch of protocols is an error at once, and not a fetch that never ends', async () => {
  await using server = await serve((_, { socket }) => {
    socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  });
  await expect(server.fetch({ timeout: 60_000 })).rejects.toEqual(code('CRL_FETCH_FAILED'));
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])(
    'with status %i is followed on the same host, up to the maximum',
    async (status) => {
      await using near = await serve(hopping(3, status));
      expect(await near.fetch()).toMatchObject({ bytes: Buffer.from('here') });
      expect(near.requests).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /3']);
      await using far = await serve(hopping(4, status));
      await expect(far.fetch()).rejects.toEqual(code('CRL_FETCH_REDIRECT'));
      expect(far.requests).toHaveLength(4);
    },
  );

  it('is an error where no redirects are allowed', async () => {
    await using server = await serve(hopping(1));
    await expect(server.fetch({ redirects: 0 })).rejects.toEqual(code('CRL_FETCH_STATUS'));
  });

  it('of a POST is followed only if the status keeps the method', async () => {
    const post = { type: 'text/plain', body: Buffer.from('question') };
    await using same = await serve(hopping(1, 308));
    expect(await same.fetch({ post })).toMatchObject({ status: 'fetched' });
    expect(same.requests).toEqual(['POST /0', 'POST /1']);
    await using other = await serve(hopping(1, 302));
    await expect(other.fetch({ post })).rejects.toEqual(code('CRL_FETCH_STATUS'));
    expect(other.requests).toEqual(['POST /0']);
  });

  it('to another host, port or scheme, or without a valid Location, is not followed', async () => {
    await using target = await serve((_request, response) => response.end());
    const { port } = target;
    for (const location of [
      `${target.origin}/`,
      `http://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      'file:///etc/hostname',
      'http://user:word@127.0.0.1/',
      'http://[',
      undefined,
    ]) {
      await using server = await serve((_request, response) =>
        response.writeHead(302, location === undefined ? {} : { location }).end(),
      );
      await expect(server.fetch(), location).rejects.toEqual(code('CRL_FETCH_REDIRECT'));
      expect(server.requests).toHaveLength(1);
    }
    expect(target.requests).toEqual([]);
  });

  it('from https to http is not followed', async () => {
    await using directory = await openDirectory();
    const ca = Buffer.from(directory.pki.root.pem);
    const url = `${directory.origin}/0`;
    directory.misbehaviour = (_request, response) =>
      response.writeHead(302, { location: url.replace('https', 'http') }).end();
    const options = { purpose: 'CRL', url, ca, maxBytes: 100, timeout: 60_000, redirects: 3 } as const;
    await expect(fetchResource(options)).rejects.toEqual(code('CRL_FETCH_REDIRECT'));
    expect(directory.requests).toHaveLength(1);
  });

  it('counts towards the timeout of the whole fetch', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/0') response.writeHead(302, { location: '/1' }).end();
    });
    await expect(server.fetch({ timeout: 2000 })).rejects.toEqual(code('CRL_FETCH_TIMEOUT'));
    expect(server.requests).toEqual(['GET /0', 'GET /1']);
  });
});

describe('a body', () => {
  it('may be as large as the limit, with or without Content-Length', async () => {
    for (const length of [0, 1, 99, 100]) {
      const bytes = Buffer.alloc(length, 'a');
      await using stated = await serve((_request, response) => response.end(bytes));
      expect(await stated.fetch()).toMatchObject({ bytes });
      await using chunked = await serve((_request, response) => {
        for (const byte of bytes) response.write(Buffer.of(byte));
        response.end();
      });
      expect(await chunked.fetch()).toMatchObject({ bytes });
    }
  });

  it('with a Content-Length over the limit is refused before it is read', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 101 }).flushHeaders();
    });
    await expect(server.fetch()).rejects.toEqual(code('CRL_FETCH_TOO_LARGE'));
  });

  it('without Content-Length is refused as soon as it exceeds the limit', async () => {
    await using server = await serve((_request, response) => {
      const flood = () => {
        while (response.write(Buffer.alloc(1000)));
        response.once('drain', flood);
      };
      flood();
    });
    await expect(server.fetch()).rejects.toEqual(code('CRL_FETCH_TOO_LARGE'));
  });

  it.each([
    ['gzip', 'the response has Content-Encoding gzip, which is not supported'],
    ['<a secret>', 'the response has Content-Encoding (not a token), which'],
  ])('with a content encoding is refused: %s', async (encoding, message) => {
    await using server = await serve((_request, response) =>
      response.setHeader('content-encoding', encoding).end(gzipSync('a')),
    );
    const refusal = { code: 'CRL_FETCH_ENCODING', message: expect.stringContaining(message) };
    await expect(server.fetch()).rejects.toMatchObject(refusal);
    await using plain = await serve((_request, response) =>
      response.setHeader('content-encoding', 'Identity').end('a'),
    );
    expect(await plain.fetch()).toMatchObject({ bytes: Buffer.from('a') });
  });

  it('is returned with its media type in lower case, without parameters', async () => {
    await using server = await serve((_request, response) =>
      response.setHeader('content-type', 'Application/PKIX-CRL ; a=b').end(),
    );
    expect(await server.fetch()).toMatchObject({ type: 'application/pkix-crl' });
    await using silent = await serve((_request, response) => response.end());
    expect(await silent.fetch()).toMatchObject({ type: '' });
  });
});

it('reports a TLS error in one line, without the source line of OpenSSL', async () => {
  await using plain = await serve((_request, response) => response.end('no TLS'));
  const url = `${plain.origin.replace('http:', 'https:')}/0`;
  await expect(plain.fetch({ url })).rejects.toMatchObject({
    message: expect.stringMatching(/\/0: [A-Z_]+: wrong version number$/),
  });
});
