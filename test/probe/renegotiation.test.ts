import { constants } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { probeRenegotiation } from '../../src/probe/renegotiation.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith } from '../support/probe/misbehaving-server.ts';
import { openTlsServer } from '../support/probe/tls-server.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

const ca = authority();

const probe = (port: number, timeoutMs = 20_000) =>
  probeRenegotiation({ host: '127.0.0.1', port, servername: 'localhost', timeoutMs });

async function renegotiationAt(settings: TlsOptions) {
  await using server = await openTlsServer(ca, settings);
  return await probe(server.port);
}

describe('renegotiation', () => {
  it.each(['TLSv1', 'TLSv1.2'] as const)(
    'is accepted by a server of %s that allows it',
    async (maxVersion) => {
      expect(await renegotiationAt({ maxVersion })).toEqual({ kind: 'accepted' });
    },
  );

  it('is refused by a server that does not', async () => {
    const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
    expect(await renegotiationAt({ secureOptions })).toEqual({ kind: 'refused' });
  });

  it.each<[what: string, answer: (socket: Socket) => void]>([
    ['ends the connection', (socket) => socket.end()],
    ['does nothing within the limit', () => {}],
  ])('is refused where the server %s when it is asked', async (_, answer) => {
    const { pem: cert, keyPem: key } = ca.issueServer();
    let isOpen = false;
    const tls = createServer({ cert, key, maxVersion: 'TLSv1.2' }, (socket) => {
      socket.on('error', () => {});
      isOpen = true;
    });
    await using server = await listenOnLoopback(tls);
    await using proxy = await answerWith(({ socket, hello }) => {
      const onward = connect({ port: server.port, host: '127.0.0.1' });
      onward.on('error', () => {});
      onward.write(hello);
      onward.pipe(socket);
      socket.on('data', (bytes) => (isOpen ? answer(socket) : onward.write(bytes)));
    });
    expect(await probe(proxy.port, 1000)).toEqual({ kind: 'refused' });
    expect(isOpen).toBe(true);
  });

  it('is unknown where the server has TLS 1.3 only', async () => {
    expect(await renegotiationAt({ minVersion: 'TLSv1.3' })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringMatching(/^no handshake up to TLS 1\.2 \(ERR_SSL_\w+\)$/),
    });
  });

  it.each<[what: string, answer: Parameters<typeof answerWith>[0]]>([
    ['hangs', () => {}],
    ['closes the connection', ({ socket }) => socket.end()],
    ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
    ['sends garbage', ({ socket }) => socket.end('garbage')],
  ])('is unknown where the server %s', async (_, answer) => {
    await using server = await answerWith(answer);
    expect(await probe(server.port, 300)).toMatchObject({ kind: 'unknown' });
  });
});
