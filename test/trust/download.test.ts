import { expect, it } from 'vitest';
import { downloadSource } from '../../src/trust/download.ts';
import { type Directory, misbehaviours, openDirectory } from '../support/trust/directory.ts';

const fetchFrom = (directory: Directory, options: Partial<Parameters<typeof downloadSource>[0]> = {}) =>
  downloadSource({
    url: `${directory.origin}/root.pem`,
    ca: Buffer.from(directory.pki.root.pem),
    ...options,
  });
const code = (expected: string) => expect.objectContaining({ code: expected });

it('downloads the bytes with their validators, and sends these with the next request', async () => {
  await using directory = await openDirectory({ '/root.pem': 'one' });
  const first = await fetchFrom(directory);
  if (first.status !== 'fetched') throw new Error('not fetched');
  expect(first.bytes.toString()).toBe('one');

  const { validators } = first;
  expect(await fetchFrom(directory, { validators })).toEqual({ status: 'unchanged' });
  expect(directory.requests.map(({ status }) => status)).toEqual([200, 304]);

  directory.files.set('/root.pem', 'two');
  expect(await fetchFrom(directory, { validators })).toMatchObject({ bytes: Buffer.from('two') });
});

it('sends Last-Modified back as If-Modified-Since', async () => {
  await using directory = await openDirectory();
  const date = 'Thu, 15 Jan 2026 00:00:00 GMT';
  directory.misbehaviour = (request, response) => {
    response
      .writeHead(request.headers['if-modified-since'] === date ? 304 : 200, { 'last-modified': date })
      .end();
  };
  const first = await fetchFrom(directory);
  expect(first).toMatchObject({ validators: { lastModified: date } });
  expect(await fetchFrom(directory, { validators: { lastModified: date } })).toEqual({ status: 'unchanged' });
});

it('refuses a 304 to an unconditional request', async () => {
  await using directory = await openDirectory();
  directory.misbehaviour = (_request, response) => response.writeHead(304).end();
  await expect(fetchFrom(directory)).rejects.toEqual(code('TRUST_FETCH_STATUS'));
});

it.each([
  ['http://localhost/root.pem'],
  ['https://user:word@localhost/root.pem'],
  ['file:///etc/ssl/cert.pem'],
  ['root.pem'],
])('refuses the URL %s', async (url) => {
  await expect(downloadSource({ url })).rejects.toEqual(code('TRUST_URL_REFUSED'));
});

it('refuses a server whose certificate comes from another CA than the given ones', async () => {
  await using directory = await openDirectory({ '/root.pem': 'one' });
  await using other = await openDirectory();
  await expect(fetchFrom(directory, { ca: undefined })).rejects.toEqual(code('TRUST_FETCH_FAILED'));
  const ca = Buffer.from(other.pki.root.pem);
  await expect(fetchFrom(directory, { ca })).rejects.toEqual(code('TRUST_FETCH_FAILED'));
  expect(directory.requests).toEqual([]);
});

it('refuses a server whose certificate names another host', async () => {
  await using directory = await openDirectory({ '/root.pem': 'one' });
  const url = `https://127.0.0.2:${directory.port}/root.pem`;
  await expect(fetchFrom(directory, { url })).rejects.toEqual(code('TRUST_FETCH_FAILED'));
  expect(directory.requests).toEqual([]);
});

it('follows no redirect', async () => {
  await using directory = await openDirectory({ '/root.pem-moved': 'one' });
  directory.misbehaviour = misbehaviours.redirect;
  await expect(fetchFrom(directory)).rejects.toEqual(code('TRUST_FETCH_STATUS'));
  expect(directory.requests).toHaveLength(1);
});

it('refuses a truncated body', async () => {
  await using directory = await openDirectory();
  directory.misbehaviour = misbehaviours.cut;
  await expect(fetchFrom(directory)).rejects.toEqual(code('TRUST_FETCH_FAILED'));
});

it('accepts 1 MiB and not a byte more', async () => {
  await using directory = await openDirectory({ '/root.pem': Buffer.alloc(1024 * 1024) });
  expect(await fetchFrom(directory)).toMatchObject({ status: 'fetched' });
  directory.files.set('/root.pem', Buffer.alloc(1024 * 1024 + 1));
  await expect(fetchFrom(directory)).rejects.toEqual(code('TRUST_FETCH_TOO_LARGE'));
});

it('times out on a server that hangs before or within its response', async () => {
  await using directory = await openDirectory();
  directory.misbehaviour = misbehaviours.hang;
  await expect(fetchFrom(directory, { timeout: 50 })).rejects.toEqual(code('TRUST_FETCH_TIMEOUT'));
  directory.misbehaviour = (_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('x');
  };
  await expect(fetchFrom(directory, { timeout: 50 })).rejects.toEqual(code('TRUST_FETCH_TIMEOUT'));
});
