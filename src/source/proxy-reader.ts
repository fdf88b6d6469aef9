/** Takes the PROXY header off a fresh socket and leaves everything behind it for the TLS server. */
import type { Socket } from 'node:net';
import { type ProxySource, parseProxyHeader } from './proxy-parser.ts';

export type ProxyReading =
  /** `source` is null where the socket's own peer is the caller; `length`: of the header, in octets. */
  | { readonly kind: 'header'; readonly source: ProxySource | null; readonly length: number }
  | { readonly kind: 'failed'; readonly why: 'invalid' | 'timeout' | 'closed'; readonly detail: string };

/**
 * Reads the header from a socket of `net.createServer({ pauseOnConnect: true })`. After a header the socket can go to
 * `tlsServer.emit('connection', socket)` at once, whether or not the ClientHello came in the same segment; after a
 * failure the caller destroys it. Never rejects.
 *
 * @param options.timeout milliseconds for the whole header, however its bytes drip.
 */
export function readProxyHeader(
  socket: Socket,
  options: { readonly timeout: number },
): Promise<ProxyReading> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => fail('timeout', 'no whole PROXY header in time'), options.timeout);

    const settle = (reading: ProxyReading): void => {
      clearTimeout(timer);
      socket.off('readable', read).off('end', ended).off('close', ended).off('error', ended);
      resolve(reading);
    };
    const fail = (why: 'invalid' | 'timeout' | 'closed', detail: string): void => {
      // The caller destroys the socket, as Node does after an error; what it still reports must not end the process.
      socket.on('error', () => {});
      settle({ kind: 'failed', why, detail });
    };
    const ended = (): void => fail('closed', `closed after ${bytes.length} bytes of PROXY header`);
    // 'readable', never 'data': that would set the socket flowing, and TLS would miss bytes.
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
