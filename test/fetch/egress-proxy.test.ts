/** The proxy that the environment names for a URL, and fetches through a real proxy. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { namedProxies, proxyFor, unusableProxies } from '../../src/fetch/egress-proxy.ts';
import { fetchResource, type ResourceOptions } from '../../src/fetch/http-fetch.ts';
import { authority } from '../support/pki/authority.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openProxy, proxySecret } from '../support/process/proxy.ts';

describe('the proxy for a URL', () => {
  const all = { HTTP_PROXY: 'http://plain:3128', HTTPS_PROXY: 'http://user:pw@secure:3129' };
  const nameFor = (url: string, environment: Record<string, string>) =>
    proxyFor(new URL(url), environment)?.name ?? null;

  it.each<[string, string, Record<string, string>, string | null]>([
    ['absent without a variable', 'http://crl.example/', {}, null],
    ['absent with an empty variable', 'http://crl.example/', { HTTP_PROXY: '' }, null],
    ['HTTP_PROXY for http', 'http://crl.example/', all, 'http://plain:3128'],
    [
      'HTTPS_PROXY for https, named without its credentials',
      'https://crl.example/',
      all,
      'http://secure:3129',
    ],
    [
      'the lower-case variable if both are set',
      'http://crl.example/',
      { ...all, http_proxy: 'http://lower:1' },
      'http://lower:1',
    ],
    [
      'an HTTP proxy if the variable has no scheme',
      'http://crl.example/',
      { HTTP_PROXY: 'plain:3128' },
      'http://plain:3128',
    ],
    [
      'reached over TLS if its scheme is https',
      'http://crl.example/',
      { HTTP_PROXY: 'https://plain:3128' },
      'https://plain:3128',
    ],
    [
      'absent if its scheme is not supported',
      'http://crl.example/',
      { HTTP_PROXY: 'socks5://plain:3128' },
      null,
    ],
    ['absent if the variable is no URL', 'http://crl.example/', { HTTP_PROXY: 'http://plain:99999' }, null],
    ['absent for localhost', 'http://localhost:8080/', all, null],
    ['absent for IPv4 loopback addresses', 'http://127.0.0.2/', all, null],
    ['absent for the IPv6 loopback address', 'http://[::1]:8080/', all, null],
  ])('is %s', (_, url, environment, expected) => {
    expect(nameFor(url, environment)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['*', 'http://crl.example/', true],
    ['other.example, crl.example', 'http://crl.example/', true],
    ['other.example crl.example', 'http://crl.example/', true],
    ['CRL.example', 'http://crl.Example./', true],
    ['example', 'http://crl.example/', true],
    ['.example', 'http://crl.example/', true],
    ['*.example', 'http://crl.example/', true],
    ['ample', 'http://crl.example/', false],
    ['crl.example.org', 'http://crl.example/', false],
    ['crl.example:80', 'http://crl.example/', true],
    ['crl.example:8080', 'http://crl.example/', false],
    ['crl.example:443', 'https://crl.example/', true],
    ['192.0.2.7', 'http://192.0.2.7/', true],
    ['0.2.7', 'http://192.0.2.7/', false],
    ['192.0.2.0/24', 'http://192.0.2.7/', true],
    ['192.0.2.0/24', 'http://192.0.3.7/', false],
    ['192.0.2.0/99', 'http://192.0.2.7/', false],
    ['10.0.0.0/8', 'http://crl.example/', false],
    ['2001:db8::7', 'http://[2001:db8::7]/', true],
    ['[2001:db8::7]:80', 'http://[2001:db8::7]/', true],
    ['2001:db8::/32', 'http://[2001:db8::7]/', true],
    ['2001:db8::/32', 'http://192.0.2.7/', false],
    ['', 'http://crl.example/', false],
  ])('with NO_PROXY=%s is bypassed for %s: %s', (NO_PROXY, url, isDirect) => {
    expect(nameFor(url, { ...all, NO_PROXY }) === null).toBe(isDirect);
  });

  it('is reported without its credentials; an unusable one is reported by its variable name only', () => {
    const environment = { ...all, http_proxy: 'socks5://user:pw@plain' };
    expect(namedProxies(environment)).toEqual({ HTTPS_PROXY: 'http://secure:3129' });
    expect(unusableProxies(environment)).toEqual(['HTTP_PROXY']);
    expect(unusableProxies(all)).toEqual([]);
  });
});

describe('a fetch through a proxy', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function openScene() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const leaf = pki.issueServer({ sans: ['DNS:ca.pki.invalid'] });
    const plain = opened.use(
      await listenOnLoopback(createServer((_request, response) => response.end('a CRL'))),
    );
    const tls = { cert: leaf.chainPem, key: leaf.keyPem };
    const secure = opened.use(
      await listenOnLoopback(createSecureServer(tls, (_request, response) => response.end('a CA'))),
    );
    const hosts = {
      'crl.pki.invalid': plain.port,
      'ca.pki.invalid': secure.port,
      'other.invalid': secure.port,
    };
    const proxy = opened.use(await openProxy(hosts));
    vi.stubEnv('HTTP_PROXY', proxy.url);
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    const stack = opened.move();
    return { proxy, pki, plain, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }
  const fetch = (url: string, options: Partial<ResourceOptions> = {}) =>
    fetchResource({ purpose: 'CRL', url, maxBytes: 100, timeout: 60_000, ...options });

  it('requests http with the absolute URL, and tunnels https to a server whose certificate is verified', async () => {
    await using scene = await openScene();
    const ca = Buffer.from(scene.pki.root.pem);
    expect(await fetch('http://crl.pki.invalid/a.crl')).toMatchObject({ bytes: Buffer.from('a CRL') });
    expect(await fetch('https://ca.pki.invalid/root.pem', { ca })).toMatchObject({
      bytes: Buffer.from('a CA'),
    });
    expect(scene.proxy.requests).toEqual(['GET http://crl.pki.invalid/a.crl', 'CONNECT ca.pki.invalid:443']);
    // The CA and the host name are both verified.
    const stranger = Buffer.from(authority().root.pem);
    for (const [url, wrong] of [
      ['https://ca.pki.invalid/', stranger],
      ['https://other.invalid/', ca],
    ] as const)
      await expect(fetch(url, { ca: wrong })).rejects.toMatchObject({
        code: 'CRL_FETCH_FAILED',
        message: expect.stringMatching(/SIGNATURE|ISSUER|ALTNAME/),
      });
  });

  it('goes directly to a host that NO_PROXY names', async () => {
    await using scene = await openScene();
    vi.stubEnv('NO_PROXY', '.pki.invalid');
    await expect(fetch('http://crl.pki.invalid/a.crl')).rejects.toMatchObject({
      message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
    expect(await fetch(`http://127.0.0.1:${scene.plain.port}/`)).toMatchObject({ status: 'fetched' });
    expect(scene.proxy.requests).toEqual([]);
  });

  it('that fails reports the proxy without its credentials', async () => {
    await using scene = await openScene();
    const messageOf = async (url: string, options: Partial<ResourceOptions> = {}) =>
      fetch(url, options).then(
        () => 'fetched',
        ({ message }: Error) => message,
      );
    const through = `(through the proxy ${scene.proxy.name})`;
    scene.proxy.refusal = 403;
    expect(await messageOf('http://crl.pki.invalid/a')).toBe(
      `http://crl.pki.invalid/a: the server answered 403 ${through}`,
    );
    expect(await messageOf('https://ca.pki.invalid/a')).toBe(
      `https://ca.pki.invalid/a: the proxy refused the CONNECT request with status 403 ${through}`,
    );
    vi.stubEnv('HTTP_PROXY', scene.proxy.url.replace(proxySecret, `${proxySecret}x`));
    expect(await messageOf('http://crl.pki.invalid/a')).toContain(`the server answered 407 ${through}`);
    await scene.proxy.close();
    for (const url of ['http://crl.pki.invalid/a', 'https://ca.pki.invalid/a']) {
      const message = await messageOf(url);
      expect(message).toContain('ECONNREFUSED');
      expect(message).toContain(through);
      expect(message).not.toContain(proxySecret);
    }
  });

  it.each([
    ['before it responds', null],
    ['after the tunnel is open', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['within its response', 'HTTP/1.1 200'],
  ])('that hangs ends at the timeout and leaves no connection open: %s', async (_, answer) => {
    const closed: Promise<unknown>[] = [];
    const silent = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => answer !== null && socket.write(answer));
      closed.push(once(socket, 'close'));
    });
    await using listening = await listenOnLoopback(silent);
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${listening.port}`);
    for (const url of ['http://crl.pki.invalid/a', 'https://ca.pki.invalid/a']) {
      if (url.startsWith('http:') && answer?.endsWith('\n')) continue;
      await expect(fetch(url, { timeout: 1000 })).rejects.toMatchObject({ code: 'CRL_FETCH_TIMEOUT' });
    }
    await Promise.all(closed);
    expect(closed.length).toBeGreaterThan(0);
  });

  it('follows a redirect on the same host through the same proxy', async () => {
    await using opened = new AsyncDisposableStack();
    const server = opened.use(
      await listenOnLoopback(
        createServer(({ url }, response) =>
          url === '/a' ? response.writeHead(302, { location: '/b' }).end() : response.end('here'),
        ),
      ),
    );
    const proxy = opened.use(await openProxy({ 'crl.pki.invalid': server.port }));
    vi.stubEnv('HTTP_PROXY', proxy.url);
    expect(await fetch('http://crl.pki.invalid/a', { redirects: 1 })).toMatchObject({
      bytes: Buffer.from('here'),
    });
    expect(proxy.requests).toEqual(['GET http://crl.pki.invalid/a', 'GET http://crl.pki.invalid/b']);
  });
});
