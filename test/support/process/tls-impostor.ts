/** Answers each ClientHello with a TLS 1.2 flight of the test's making: certificates that no TLS library would send. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { type Listening, listenOnLoopback } from './listening.ts';

const suite = Buffer.from('c02f', 'hex');

/** `certificates`: the contents of the Certificate message, each as it is. */
export function openTlsImpostor(options: { readonly certificates: readonly Buffer[] }): Promise<Listening> {
  const list = Buffer.concat(options.certificates.map((der) => sized(der, 3)));
  const hello = Buffer.concat([Buffer.of(3, 3), randomBytes(32), Buffer.of(0), suite, Buffer.of(0)]);
  // A point of X25519, and a signature with rsa_pkcs1_sha256 that fits nothing.
  const point = Buffer.concat([Buffer.of(3, 0, 29), sized(randomBytes(32), 1)]);
  const exchange = Buffer.concat([point, Buffer.of(4, 1), sized(randomBytes(256), 2)]);
  // RSA, rsa_pkcs1_sha256, and an empty name.
  const request = Buffer.concat([
    sized(Buffer.of(1), 1),
    sized(Buffer.of(4, 1), 2),
    sized(sized(Buffer.of(0x30, 0), 2), 2),
  ]);
  const flight = Buffer.concat([
    message(2, hello),
    message(11, sized(list, 3)),
    message(12, exchange),
    message(13, request),
    message(14, Buffer.alloc(0)),
  ]);
  const record = Buffer.concat([Buffer.of(22, 3, 3), sized(flight, 2)]);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(record));
  });
  return listenOnLoopback(server);
}

function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), sized(body, 3)]);
}

/** The bytes after their length in `octets` octets. */
function sized(bytes: Buffer, octets: number): Buffer {
  const length = Buffer.alloc(octets);
  length.writeUIntBE(bytes.length, 0, octets);
  return Buffer.concat([length, bytes]);
}
