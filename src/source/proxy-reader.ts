/** Reads the PROXY header from a new socket, and leaves all bytes after it for the TLS server. */
import type { Socket } from 'node:net';
import { type ProxySource, parseProxyHeader } from './proxy-parser.ts';

export type ProxyReading =
  /** `source`: null if the socket's peer is the client. `length`: bytes of the header. */
  | { readonly kind: 'header'; readonly source: ProxySource | null; readonly length: number }
  | { readonly kind: 'failed'; readonly why: 'invalid' | 'timeout' | 'closed'; readonly detail: string };

/**
 * Reads the header from a socket of `net.createServer({ pauseOnConnect: true })`. After a header, the socket can be passed
 * to `tlsServer.emit('connection', socket)` at once, even if the ClientHello arrived in the same segment. After a failure
 * the caller must destroy it. Never rejects.
 *
 * @param options.timeout for the whole header, ms.
 */
export function readProxyHeader(
  socket: Socket,
  options: { readonly timeout: number },
): Promise<ProxyReading> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => fail('timeout', 'no complete PROXY header in time'), options.timeout);

    const settle = (reading: ProxyReading): void => {
      clearTimeout(timer);
      socket.off('readable', read).off('end', ended).off('close', ended).off('error', ended);
      resolve(reading);
    };
    const fail = (why: 'invalid' | 'timeout' | 'closed', detail: string): void => {
      // Until the socket is destroyed it may emit errors, which would end the process without a listener.
      socket.on('error', () => {});
      settle({ kind: 'failed', why, detail });
    };
    const ended = (): void => fail('closed', `closed after ${bytes.length} bytes of PROXY header`);
    // 'readable' and not 'data', which would make the socket flow before the TLS server reads it.
    const read = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'incomplete') return;
      if (header.kind === 'invalid') {
        fail('invalid', header.why);
        return;
      }
      settle({ kind: 'header', source: header.source, length: header.length });
      const rest = bytes.subarray(header.length);
      if (rest.length > 0) socket.unshift(rest);
    };
    socket.on('readable', read).on('end', ended).on('close', ended).on('error', ended);
  });
}
