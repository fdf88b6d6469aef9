/** What one connection to an endpoint yields when the endpoint does not behave: real TLS on loopback. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect, it } from 'vitest';
import { attempt } from '../../src/doctor/attempt.ts';
import { harmlessMessage } from '../../src/doctor/message.ts';
import { readTarget } from '../../src/doctor/target.ts';
import { authority } from '../support/pki/authority.ts';

const { chainPem: cert, keyPem: key } = authority().issueServer();

async function attemptAt(
  options: TlsOptions,
  answer: (socket: TLSSocket) => void = () => {},
  timeoutMs = 60_000,
) {
  const sockets: TLSSocket[] = [];
  const server = createServer({ cert, key, ...options }, (socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.once('data', () => answer(socket));
  });
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const target = readTarget(`https://localhost:${port}/`);
    return await attempt({ target, address: '127.0.0.1', body: harmlessMessage(), timeoutMs });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

it('recognises the alert of a server that demands a certificate in TLS 1.2', async () => {
  const { handshake, failure } = await attemptAt({ maxVersion: 'TLSv1.2', requestCert: true });
  expect(handshake).toBeNull();
  expect(failure).toEqual({
    ...{ stage: 'handshake', kind: 'alert', status: null },
    reason: 'the server sent the TLS alert "handshake failure"',
  });
});

it('keeps the status of a response whose body is too long', async () => {
  const { answer, failure } = await attemptAt({}, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
    socket.write(Buffer.alloc(2 * 1024 * 1024, 'a'));
  });
  expect(answer).toBeNull();
  expect(failure).toMatchObject({ stage: 'response', kind: 'other', status: 200 });
});

it('keeps the status of a response that does not end', async () => {
  const begin = (socket: TLSSocket) =>
    void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
  const { failure } = await attemptAt({}, begin, 3000);
  expect(failure).toMatchObject({ stage: 'response', kind: 'silent', status: 200 });
});
