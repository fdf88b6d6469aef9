/** Writes what a server sends in its flight up to TLS 1.2, valid and invalid: the messages, and records of any size. */
import { writeNumber, writeVector } from '../../../src/probe/wire.ts';

export interface FlightModel {
  /** Code on the wire. */
  readonly version: number;
  readonly suite: number;
  readonly sessionId: Uint8Array;
  readonly extensions: readonly (readonly [type: number, value: Uint8Array])[];
  readonly certificates: readonly Uint8Array[];
  /** Code of the group, and of the signature scheme; null: no ServerKeyExchange. */
  readonly keyExchange: { readonly group: number; readonly scheme: number } | null;
  readonly request: {
    readonly types: readonly number[];
    readonly schemes: readonly number[];
    readonly authorities: readonly Uint8Array[];
  } | null;
}

const tls12 = 0x0303;

/** The messages with their headers, in their order. */
export function writeFlight(model: FlightModel): Buffer[] {
  const { version, certificates, keyExchange, request } = model;
  const schemes = (codes: readonly number[]) => codes.map((code) => writeNumber(code, 2));
  return [
    serverHello(model),
    ...(certificates.length === 0
      ? []
      : [message(11, writeVector(3, ...certificates.map((der) => writeVector(3, der))))]),
    ...(keyExchange === null
      ? []
      : [
          message(
            12,
            Buffer.of(3),
            writeNumber(keyExchange.group, 2),
            writeVector(1, Buffer.alloc(32, 7)),
            ...(version === tls12 ? [writeNumber(keyExchange.scheme, 2)] : []),
            writeVector(2, Buffer.alloc(64, 9)),
          ),
        ]),
    ...(request === null
      ? []
      : [
          message(
            13,
            writeVector(1, Buffer.from(request.types)),
            ...(version === tls12 ? [writeVector(2, ...schemes(request.schemes))] : []),
            writeVector(2, ...request.authorities.map((name) => writeVector(2, name))),
          ),
        ]),
    message(14),
  ];
}

export function serverHello(
  model: Pick<FlightModel, 'version' | 'suite' | 'sessionId' | 'extensions'>,
): Buffer {
  const { version, suite, sessionId, extensions } = model;
  const list = extensions.flatMap(([type, value]) => [writeNumber(type, 2), writeVector(2, value)]);
  return message(
    2,
    writeNumber(version, 2),
    Buffer.alloc(32, 1),
    writeVector(1, sessionId),
    writeNumber(suite, 2),
    Buffer.of(0),
    ...(list.length === 0 ? [] : [writeVector(2, ...list)]),
  );
}

export function message(type: number, ...body: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(type), writeVector(3, ...body)]);
}

/** `bytes` in records of `size` bytes. */
export function writeRecords(bytes: Uint8Array, { type = 22, size = 2 ** 14 } = {}): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    records.push(Buffer.of(type, 3, 3), writeVector(2, bytes.subarray(at, at + size)));
  return Buffer.concat(records);
}
