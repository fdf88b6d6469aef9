/** What is measured: the four patterns in which a sender sends messages, and the messages between bench and load generator. */
import type { Certificates } from './certificates.ts';

export interface Mode {
  /** How many connections are open at any time: the load is a closed loop. */
  readonly connections: number;
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** The handshake of each message; none when the connections were opened before. */
  readonly handshake: 'none' | 'full' | 'resumed';
}

export const modes = {
  keepalive: { connections: 16, version: 'TLSv1.3', handshake: 'none' },
  full: { connections: 8, version: 'TLSv1.3', handshake: 'full' },
  resumed: { connections: 8, version: 'TLSv1.3', handshake: 'resumed' },
  resumed12: { connections: 8, version: 'TLSv1.2', handshake: 'resumed' },
} as const satisfies Record<string, Mode>;

export type ModeName = keyof typeof modes;

/** What the client offers to every gateway, in the spelling of OpenSSL. */
export interface Offer {
  readonly ciphers: string;
  readonly groups: string;
}

/** Sent to the load generator: its identity, the gateway to prepare for, and the start. */
export type LoadOrder =
  | { readonly type: 'identity'; readonly certificates: Certificates; readonly offer: Offer }
  | {
      readonly type: 'prepare';
      readonly port: number;
      readonly mode: Mode;
      /** Sent with each message; absent: none is. */
      readonly token?: string | undefined;
      /** Without TLS: straight to the host. */
      readonly plain?: boolean;
      /** Nothing is sent on the connections. */
      readonly silent?: boolean;
    }
  /** A closed loop. */
  | { readonly type: 'run'; readonly milliseconds: number }
  /** Messages a second. */
  | { readonly type: 'pace'; readonly milliseconds: number; readonly rate: number }
  | { readonly type: 'rest' };

/** The result of a slice; `handshakes` counts by kind as the client saw them. */
export interface LoadResult {
  readonly messages: number;
  readonly handshakes: { readonly full: number; readonly resumed: number };
  /** Version, cipher suite and group, as `TLSv1.3 TLS_AES_128_GCM_SHA256 X25519`. */
  readonly negotiated: string;
  readonly milliseconds: number;
  /** Of a paced run: milliseconds from when each message was due to its whole response. */
  readonly times?: readonly number[];
}

export type LoadAnswer =
  | { readonly type: 'done'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly reason: string };
