import { tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminOptions, type AdminServer, openAdmin } from '../../src/admin/server.ts';
import { emptyStatus } from '../support/status.ts';

const open: AdminServer[] = [];
afterEach(async () => {
  for (const admin of open.splice(0)) await admin.close();
});

async function opened(options: Partial<AdminOptions> = {}): Promise<string> {
  const admin = await openAdmin({
    address: '127.0.0.1',
    port: 0,
    metrics: async () => ({ body: 'ehi_connections 1\n', contentType: 'text/plain; version=0.0.4' }),
    ready: () => ({ ready: true, reasons: [] }),
    upstreams: () => [],
    hosts: () => [],
    status: emptyStatus,
    ...options,
  });
  open.push(admin);
  return `http://${admin.address}:${admin.port}`;
}

describe('the admin port', () => {
  it('serves the metrics with their content type', async () => {
    const response = await fetch(`${await opened()}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('ehi_connections 1\n');
  });

  it('continues after accept errors', async () => {
    let server: Server | undefined;
    const subscriber = {
      asyncEnd: (message: unknown) => {
        server = (message as { server: Server }).server;
      },
    };
    const channel = tracingChannel('net.server.listen');
    channel.subscribe(subscriber as unknown as Parameters<typeof channel.subscribe>[0]);
    const base = await opened();
    channel.unsubscribe(subscriber as unknown as Parameters<typeof channel.subscribe>[0]);
    for (let time = 0; time < 3; time++)
      server?.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' }));
    expect(server?.listening).toBe(true);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it('is alive whether or not it is ready', async () => {
    const base = await opened({ ready: () => ({ ready: false, reasons: ['no trust'] }) });
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it('is ready when the gateway is, and otherwise reports the reasons', async () => {
    let state = { ready: true, reasons: [] as string[] };
    const base = await opened({ ready: () => state });
    const ready = await fetch(`${base}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    state = { ready: false, reasons: ['draining'] };
    const draining = await fetch(`${base}/readyz`);
    expect([draining.status, await draining.json()]).toEqual([503, { ready: false, reasons: ['draining'] }]);
  });

  it('reports the state of the upstream endpoints', async () => {
    const base = await opened({ upstreams: () => [{ url: 'http://host' }] });
    const response = await fetch(`${base}/upstreams`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual({ endpoints: [{ url: 'http://host' }] });
  });

  it('responds to HEAD with the head of GET', async () => {
    const base = await opened();
    for (const path of ['/metrics', '/healthz', '/readyz', '/upstreams']) {
      const [get, head] = [await fetch(base + path), await fetch(base + path, { method: 'HEAD' })];
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-length')).toBe(`${(await get.arrayBuffer()).byteLength}`);
      expect(await head.text()).toBe('');
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'refuses %s and names the allowed methods',
    async (method) => {
      const response = await fetch(`${await opened()}/metrics`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
    },
  );

  it('responds with 404 to any other path, and never echoes it', async () => {
    const base = await opened();
    for (const path of [
      '/metrics/',
      '/api',
      '/api/status/',
      '/assets/',
      '/assets/nothing.js',
      '/Metrics',
      '/4111111111111111',
      '/%6detrics',
      '//metrics',
      '/x?<script>',
    ]) {
      const response = await fetch(base + path);
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('not found\n');
    }
  });

  it('escapes in JSON what a terminal would not show as it is', async () => {
    const reason = 'no trust: CN=\u202eevil\u3164';
    const status = emptyStatus();
    const base = await opened({
      ready: () => ({ ready: false, reasons: [reason] }),
      upstreams: () => [{ url: reason }],
      status: () => ({ ...status, gateway: { ...status.gateway, reasons: [reason] } }),
    });
    for (const path of ['/readyz', '/upstreams', '/api/status']) {
      const text = await (await fetch(`${base}${path}`)).text();
      expect(text).toMatch(/^[\x20-\x7e]+\n$/);
      expect(JSON.stringify(JSON.parse(text))).toContain(reason);
    }
  });

  it('ignores a query', async () => {
    expect((await fetch(`${await opened()}/healthz?4111111111111111`)).status).toBe(200);
  });

  it('responds with 500, without the cause, when the metrics fail', async () => {
    const base = await opened({ metrics: () => Promise.reject(new Error('the cause')) });
    const response = await fetch(`${base}/metrics`);
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
  });

  it('refuses what is not HTTP, without echoing it', async () => {
    const { port } = new URL(await opened());
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('4111111111111111 nonsense\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toContain('400');
    expect(text).not.toContain('4111');
  });

  it('rejects when its address is in use', async () => {
    const { port } = new URL(await opened());
    await expect(opened({ port: Number(port) })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  });

  it('rejects when the machine does not have its address', async () => {
    await expect(opened({ address: '192.0.2.1' })).rejects.toMatchObject({ code: 'ADMIN_LISTEN' });
  });

  it('frees its port when closed, also during a response', async () => {
    const asked = Promise.withResolvers<void>();
    const base = await opened({
      metrics: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const port = Number(new URL(base).port);
    const idle = connect(port, '127.0.0.1');
    const busy = connect(port, '127.0.0.1');
    const closed = Promise.all([idle, busy].map((socket) => once(socket.resume(), 'close')));
    busy.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked.promise;
    await open.pop()?.close();
    await closed;
    await opened({ port });
  });
});
