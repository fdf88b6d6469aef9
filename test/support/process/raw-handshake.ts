/** The handshake of a TLS 1.3 client by hand (RFC 8446), for messages that no TLS library sends. The server is not verified. */
import {
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  nextSecret,
  RecordProtection,
  type Suite,
  suites,
} from '../../../src/handshake/record-protection.ts';

const suite: Suite = suites.TLS_AES_128_GCM_SHA256;
const HANDSHAKE = 22;
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex');
/** KeyUpdate (§4.6.3), update_not_requested. */
const keyUpdate = { type: HANDSHAKE, bytes: Buffer.from([24, 0, 0, 1, 0]) };

interface RawHandshakeOptions {
  readonly port: number;
  readonly localAddress?: string;
  /** The ClientHello announces early data (§4.2.10) without a session. */
  readonly earlyData?: boolean;
}

export class RawHandshake implements AsyncDisposable {
  readonly socket: Socket;
  /** client_handshake_traffic_secret. */
  readonly secret: Buffer;
  readonly #masterSecret: Buffer;
  readonly #transcript: Buffer;
  readonly #protection: RecordProtection;

  constructor(socket: Socket, keys: { secret: Buffer; masterSecret: Buffer; transcript: Buffer }) {
    this.socket = socket;
    this.secret = keys.secret;
    this.#masterSecret = keys.masterSecret;
    this.#transcript = keys.transcript;
    this.#protection = new RecordProtection(suite, keys.secret);
  }

  /** One handshake message in a record of its own, ready to be written. */
  seal(message: Buffer): Buffer {
    return this.#protection.seal({ type: HANDSHAKE, bytes: message });
  }

  /** A Certificate message without a certificate, Finished, and `keyUpdates` KeyUpdates after it. */
  finish({ keyUpdates }: { readonly keyUpdates: number }): Buffer {
    const certificate = certificateMessage([]);
    const finishedKey = expand(this.secret, 'finished');
    const hash = sha256(Buffer.concat([this.#transcript, certificate]));
    const verifyData = createHmac('sha256', finishedKey).update(hash).digest();
    const records = [this.seal(certificate), this.seal(message(20, verifyData))];
    let secret = expand(this.#masterSecret, 'c ap traffic', sha256(this.#transcript));
    for (let count = 0; count < keyUpdates; count++) {
      records.push(new RecordProtection(suite, secret).seal(keyUpdate));
      secret = nextSecret(suite, secret);
    }
    return Buffer.concat(records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }
}

/** Resolves once the server's flight is complete. */
export async function beginRawHandshake(options: RawHandshakeOptions): Promise<RawHandshake> {
  const { port, localAddress, earlyData = false } = options;
  const socket = connect({
    port,
    host: '127.0.0.1',
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const share = publicKey.export({ type: 'spki', format: 'der' }).subarray(x25519Prefix.length);
  const hello = clientHello(share, earlyData);
  socket.write(Buffer.concat([Buffer.of(HANDSHAKE, 3, 1), uint16(hello.length), hello]));

  const records = recordsOf(socket);
  const serverHello = ((await records.next()).value as Buffer).subarray(5);
  const shared = diffieHellman({ privateKey, publicKey: serverShare(serverHello) });
  const earlySecret = extract(Buffer.alloc(32), Buffer.alloc(32));
  const handshakeSecret = extract(expand(earlySecret, 'derived', sha256(Buffer.alloc(0))), shared);
  const hellos = Buffer.concat([hello, serverHello]);
  const secret = expand(handshakeSecret, 'c hs traffic', sha256(hellos));
  const reading = new RecordProtection(suite, expand(handshakeSecret, 's hs traffic', sha256(hellos)));
  let transcript = hellos;
  // The last message is Finished: 36 octets.
  while (transcript.at(-36) !== 20 || transcript === hellos) {
    const { value: record } = await records.next();
    transcript = Buffer.concat([transcript, reading.open(record as Buffer)?.bytes ?? Buffer.alloc(0)]);
  }
  const masterSecret = extract(expand(handshakeSecret, 'derived', sha256(Buffer.alloc(0))), Buffer.alloc(32));
  socket.removeAllListeners('readable').resume();
  return new RawHandshake(socket, { secret, masterSecret, transcript });
}

/** A Certificate message (§4.4.2) of certificates in DER. */
export function certificateMessage(certificates: readonly Uint8Array[]): Buffer {
  const list = Buffer.concat(certificates.flatMap((der) => [uint24(der.length), der, uint16(0)]));
  return message(11, Buffer.concat([Buffer.of(0), uint24(list.length), list]));
}

function clientHello(share: Buffer, earlyData: boolean): Buffer {
  const extension = (type: number, ...parts: Buffer[]) => {
    const value = Buffer.concat(parts);
    return Buffer.concat([uint16(type), uint16(value.length), value]);
  };
  const extensions = Buffer.concat([
    extension(43, Buffer.from('020304', 'hex')),
    extension(10, Buffer.from('0002001d', 'hex')),
    extension(13, Buffer.from('000404030804', 'hex')),
    extension(51, uint16(share.length + 4), Buffer.from('001d', 'hex'), uint16(share.length), share),
    ...(earlyData ? [extension(42)] : []),
  ]);
  const suiteAndCompression = Buffer.from('0002' + '1301' + '0100', 'hex');
  const head = [Buffer.of(3, 3), randomBytes(32), Buffer.of(0), suiteAndCompression];
  return message(1, Buffer.concat([...head, uint16(extensions.length), extensions]));
}

function serverShare(serverHello: Buffer) {
  // The share is the only value of 32 octets of group x25519.
  const at = serverHello.indexOf(Buffer.from('001d0020', 'hex')) + 4;
  const der = Buffer.concat([x25519Prefix, serverHello.subarray(at, at + 32)]);
  return createPublicKey({ key: der, type: 'spki', format: 'der' });
}

async function* recordsOf(socket: Socket): AsyncGenerator<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3)) {
      const end = 5 + bytes.readUInt16BE(3);
      yield bytes.subarray(0, end);
      bytes = bytes.subarray(end);
    }
    const chunk: Buffer | null = socket.read();
    if (chunk === null) await once(socket, 'readable');
    else bytes = Buffer.concat([bytes, chunk]);
  }
}

function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), uint24(body.length), body]);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function extract(salt: Buffer, secret: Buffer): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

/** HKDF-Expand-Label (§7.1) to the length of the hash. */
function expand(secret: Buffer, label: string, context: Buffer = Buffer.alloc(0)): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = [uint16(32), Buffer.of(name.length), name, Buffer.of(context.length), context, Buffer.of(1)];
  return createHmac('sha256', secret).update(Buffer.concat(info)).digest();
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}
