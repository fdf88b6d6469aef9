/** Which protocol versions and cipher suites the gateway offers on each kind of connection, and how strong they are. */
import { duplexPair } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { listenerOffer } from '../../handshake/tls-options.ts';
import { cipherSuite } from '../../probe/cipher-suites.ts';
import { WireCursor } from '../../probe/wire.ts';
import { upstreamOffer } from '../../upstream/tls-client.ts';

export interface OfferedSuite {
  /** `listener for clients`. */
  readonly usedBy: string;
  readonly purpose: string;
  readonly protocol: 'TLS 1.2' | 'TLS 1.3';
  /** IANA's name. */
  readonly suite: string;
  /** Strength of the cipher; null: not in the table of suites. */
  readonly strengthBits: number | null;
  readonly forwardSecrecy: boolean | null;
  readonly aead: boolean | null;
  /** `strong`: forward secrecy and AEAD; `acceptable`: one of them is missing; `weak`: it must not be used. */
  readonly rating: 'strong' | 'acceptable' | 'weak' | 'unknown';
}

export interface OfferOptions {
  /** Kinds of the listener's keys: only suites for them are offered to clients. */
  readonly keyTypes: ReadonlySet<'RSA' | 'ECDSA'>;
  readonly hasTlsHosts: boolean;
  readonly fetches: boolean;
}

/** Taken from the ClientHello that Node writes with the same options. */
export async function offeredSuites({
  keyTypes,
  hasTlsHosts,
  fetches,
}: OfferOptions): Promise<OfferedSuite[]> {
  const listener = await suitesWith(listenerOffer);
  return [
    ...listener
      .filter(({ suite }) => isFor(suite, keyTypes))
      .map((each) => ({ ...each, usedBy: 'listener for clients', purpose: 'messages from clients' })),
    ...(hasTlsHosts ? await suitesWith(upstreamOffer) : []).map((each) => ({
      ...{ ...each, usedBy: 'connections to hosts', purpose: 'messages to upstream hosts' },
    })),
    ...(fetches ? await suitesWith({}) : []).map((each) => ({
      ...{ ...each, usedBy: 'fetches', purpose: 'trust anchors, CRLs, OCSP answers, spans' },
    })),
  ];
}

function isFor(suite: string, keyTypes: OfferOptions['keyTypes']): boolean {
  if (suite.includes('_ECDSA_')) return keyTypes.has('ECDSA');
  return suite.includes('_RSA_') ? keyTypes.has('RSA') : true;
}

type Suite = Omit<OfferedSuite, 'usedBy' | 'purpose'>;

async function suitesWith(
  options: Pick<ConnectionOptions, 'minVersion' | 'maxVersion' | 'ciphers'>,
): Promise<Suite[]> {
  return suiteCodesIn(await clientHello(options)).flatMap((code): Suite[] => {
    const suite = cipherSuite(code);
    if (suite === null) return signalling.has(code) ? [] : [unknownSuite(code)];
    const { name, bits, forwardSecrecy, aead, insecure, keyExchange } = suite;
    const rating = insecure !== null ? 'weak' : forwardSecrecy && aead ? 'strong' : 'acceptable';
    const protocol = keyExchange === 'any' ? 'TLS 1.3' : 'TLS 1.2';
    return [{ protocol, suite: name, strengthBits: bits, forwardSecrecy, aead, rating }];
  });
}

/** Signalling values are no suites: renegotiation (RFC 5746 §3.3) and fallback (RFC 7507). */
const signalling: ReadonlySet<number> = new Set([0x00ff, 0x5600]);

function unknownSuite(code: number): Suite {
  const suite = `0x${code.toString(16).padStart(4, '0')}`;
  const unknown = { strengthBits: null, forwardSecrecy: null, aead: null, rating: 'unknown' } as const;
  return { protocol: 'TLS 1.2', suite, ...unknown };
}

function clientHello(options: ConnectionOptions): Promise<Buffer> {
  const [near, far] = duplexPair();
  const socket = connect({ ...options, socket: near });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    far.once('data', (bytes: Buffer) => {
      resolve(bytes);
      socket.destroy();
      far.destroy();
    });
  });
}

/** `record`: one TLS record with a ClientHello (RFC 8446 §4.1.2). */
function suiteCodesIn(record: Buffer): number[] {
  const hello = new WireCursor(record, 'a ClientHello');
  // Record header, handshake header, version, random.
  hello.octets(5 + 4 + 2 + 32);
  hello.vector(1);
  const suites = hello.vector(2);
  return Array.from({ length: suites.length / 2 }, (_, index) => suites.readUInt16BE(index * 2));
}
